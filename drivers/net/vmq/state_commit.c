// SPDX-License-Identifier: GPL-2.0
/*
 * The end of a restore: its stream is applied, or why not is told.
 *
 * Where an extension has no answer yet, the commit waits without any lock, as a
 * process may need it to answer (netlink_commit.c). Meanwhile an abort, or the end of
 * the port, undoes what was applied; a closed descriptor changes nothing.
 */
#include <linux/mm.h>

#include "state.h"

/*
 * Records of a stream that an event is sent for. More are in no listener's buffer, and
 * rtnl is held; the port's counter has all.
 */
#define VMQ_UNCLAIMED_EVENTS	256

struct vmq_unclaimed {
	struct vmq_port *port;
	u32 events;
};

static void vmq_commit_unclaimed(void *ctx, const struct vmq_stream_view *view)
{
	struct vmq_unclaimed *u = ctx;
	uuid_t ext, class;

	if (u->events == VMQ_UNCLAIMED_EVENTS)
		return;
	u->events++;
	import_uuid(&ext, view->ext);
	import_uuid(&class, view->class);
	vmq_notify_unclaimed(u->port, &ext, &class, view->length);
}

/* What was wrong with the stream; a commit is its last word. */
static int vmq_commit_refused(struct vmq_session *s,
			      struct netlink_ext_ack *extack)
{
	int err = s->error;

	NL_SET_ERR_MSG_FMT(extack, "%s", s->reason.text);
	vmq_session_end(s, VMQ_MEV_ABORT);
	return err;
}

/* One step; -EINPROGRESS where there must be another. */
static int vmq_commit_step(struct vmq_session *s,
			   struct netlink_ext_ack *extack)
{
	struct vmq_unclaimed unclaimed = { .port = s->port };
	struct vmq_port *port = s->port;
	int err;

	/* the writer did not wait for all answers */
	if (!s->error && s->restore.parser.done) {
		err = vmq_session_validate(s);
		if (err == -EINPROGRESS)
			return err;
	}
	if (s->error)
		return vmq_commit_refused(s, extack);
	err = vmq_migration_next(port->migration, VMQ_MEV_COMMIT);
	if (err < 0) {
		NL_SET_ERR_MSG_FMT(extack,
				   "the stream is not complete: %zu bytes so far",
				   s->restore.len);
		return err;
	}
	err = vmq_restore_apply(&s->restore, &s->reason);
	if (err == -EINPROGRESS)
		return err;
	if (err) {
		s->error = err;
		NL_SET_ERR_MSG_FMT(extack, "%s", s->reason.text);
	} else {
		vmq_restore_unclaimed(&s->restore, vmq_commit_unclaimed,
				      &unclaimed);
		vmq_mcast_arrive(port);
	}
	vmq_session_end(s, VMQ_MEV_COMMIT);
	/* nobody writes to it any more: that ended when it was validated */
	kvfree(s->restore.buf);
	s->restore.buf = NULL;
	return err;
}

/**
 * vmq_commit_begin() - the session that a commit is about
 * @port: the port
 * @sp: becomes the session, for vmq_session_put()
 * @extack: says why not
 *
 * Context: Process context, rtnl held.
 * Return: 0, -ENOENT if no restore runs, -EBUSY if it is a save or another commit
 * is on its way.
 */
int vmq_commit_begin(struct vmq_port *port, struct vmq_session **sp,
		     struct netlink_ext_ack *extack)
{
	struct vmq_session *s = port->session;
	int err = -ENOENT;

	ASSERT_RTNL();
	if (s) {
		mutex_lock(&s->lock);
		if (s->port)
			err = s->writing && !s->committing ? 0 : -EBUSY;
		if (!err) {
			kref_get(&s->ref);
			s->committing = true;
			*sp = s;
		}
		mutex_unlock(&s->lock);
	}
	if (err == -EBUSY)
		NL_SET_ERR_MSG_FMT(extack, "%s is being %s", port->dev->name,
				   s->writing ? "committed already" :
						"saved, not restored");
	else if (err)
		NL_SET_ERR_MSG_FMT(extack, "no restore of %s runs",
				   port->dev->name);
	return err;
}

/**
 * vmq_commit_next() - applies a stream that was written to its end
 * @s: the session, of vmq_commit_begin()
 * @kicks: for vmq_session_wait_for()
 * @extack: says why not
 *
 * All of it or nothing (SR-36). A commit before the end of the stream changes
 * nothing, the writer may go on. After a stream that was refused it answers why,
 * and the session ends.
 *
 * Context: Process context, rtnl held, and since vmq_commit_begin() or the last
 * call dropped only after -EINPROGRESS.
 * Return: 0 with the port's report filled; -EINPROGRESS where it must be called
 * again after vmq_session_wait_for(), or vmq_commit_cancel(); -EINVAL if the stream is
 * not complete, -ECANCELED or -ENODEV where the session was ended meanwhile, or the
 * error of whoever refused the stream or failed to apply a record.
 */
int vmq_commit_next(struct vmq_session *s, int *kicks,
		    struct netlink_ext_ack *extack)
{
	int err;

	ASSERT_RTNL();
	mutex_lock(&s->lock);
	*kicks = atomic_read(&s->waiter.kicks);
	if (s->port) {
		err = vmq_commit_step(s, extack);
		if (err != -EINPROGRESS)
			s->committing = false;
	} else {
		err = s->error ?: -ECANCELED;
		NL_SET_ERR_MSG_FMT(extack, "%s", s->reason.text);
	}
	mutex_unlock(&s->lock);
	return err;
}

/**
 * vmq_commit_cancel() - undoes a commit that must not wait any longer
 * @s: the session
 *
 * Context: Process context, rtnl held.
 */
void vmq_commit_cancel(struct vmq_session *s)
{
	ASSERT_RTNL();
	mutex_lock(&s->lock);
	if (s->port)
		vmq_session_end_early(s, -ECANCELED,
				      "who asked for the commit went away",
				      VMQ_MEV_ABORT);
	mutex_unlock(&s->lock);
}
