// SPDX-License-Identifier: GPL-2.0
/*
 * Saves and restores of ports: one session at a time for each port (SR-22,
 * SR-26), any number at once on different ones (SR-23).
 */
#include <linux/file.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "state.h"

static unsigned int vmq_max_stream = SZ_16M;
module_param_named(max_stream, vmq_max_stream, uint, 0644);
MODULE_PARM_DESC(max_stream, "Most bytes of a saved stream (default 16 MiB)");

/* The checksum and vmalloc() count in 32 bits; nobody needs as much as this. */
#define VMQ_MAX_STREAM		SZ_1G

/* The report is read where neither rtnl nor a session's lock can be taken. */
static DEFINE_SPINLOCK(vmq_report_lock);

/**
 * vmq_port_report() - what became of the last save or restore of a port
 * @port: the port
 * @out: the report
 *
 * Context: Any, while the port exists.
 */
void vmq_port_report(struct vmq_port *port, struct vmq_report *out)
{
	spin_lock(&vmq_report_lock);
	*out = port->report;
	spin_unlock(&vmq_report_lock);
}

static void vmq_session_free(struct kref *ref)
{
	struct vmq_session *s = container_of(ref, struct vmq_session, ref);

	if (s->writing)
		kvfree(s->restore.buf);
	else
		kvfree(s->save.buf);
	mutex_destroy(&s->lock);
	mutex_destroy(&s->io);
	kfree(s);
}

/**
 * vmq_session_put() - drops a reference on a session
 * @s: the session
 *
 * Context: Process context.
 */
void vmq_session_put(struct vmq_session *s)
{
	kref_put(&s->ref, vmq_session_free);
}

static void vmq_session_move(struct vmq_session *s,
			     enum vmq_migration_event event)
{
	int next = vmq_migration_next(s->port->migration, event);

	lockdep_assert_held(&s->lock);
	if (WARN_ON_ONCE(next < 0) || next == s->port->migration)
		return;
	/* read without a lock by whoever shows it */
	WRITE_ONCE(s->port->migration, next);
	if (s->port->dev->reg_state == NETREG_REGISTERED)
		vmq_notify_port(s->port);
}

static void vmq_session_report(struct vmq_session *s)
{
	struct vmq_report report = {
		.usecs = ktime_us_delta(ktime_get(), s->begin),
	};

	if (s->writing) {
		report.records = s->restore.records;
		report.unclaimed = s->restore.unclaimed;
		report.bytes = s->restore.len;
	} else {
		report.records = s->save.w.count;
		report.bytes = s->save.w.bytes;
	}
	if (s->error)
		strscpy(report.error, s->reason.text, sizeof(report.error));

	spin_lock(&vmq_report_lock);
	report.save_usecs = s->port->report.save_usecs;
	report.restore_usecs = s->port->report.restore_usecs;
	if (!s->error && s->writing)
		report.restore_usecs = report.usecs;
	else if (!s->error)
		report.save_usecs = report.usecs;
	s->port->report = report;
	spin_unlock(&vmq_report_lock);
}

static void vmq_session_finish(struct vmq_session *s)
{
	if (!s->writing) {
		vmq_save_finish(&s->save, !s->error);
		return;
	}
	/* it was stopped half-way, by somebody who has rtnl */
	if (s->error)
		vmq_restore_rollback(&s->restore);
	vmq_restore_finish(&s->restore, !s->error);
}

static void vmq_party_unpin(struct vmq_party *p)
{
	WRITE_ONCE(p->ep->waiter, NULL);
	module_put(p->ep->ops->owner);
}

static void vmq_session_unpin(struct vmq_session *s)
{
	unsigned int i;

	/* the first two are the port itself and its gate */
	for (i = 2; i < s->n; i++)
		if (s->party[i].ep)
			vmq_party_unpin(&s->party[i]);
}

/* Wakes all who wait. */
static void vmq_waiter_kick(struct vmq_waiter *w)
{
	atomic_inc(&w->kicks);
	wake_up_poll(&w->wait, EPOLLIN | EPOLLRDNORM | EPOLLERR | EPOLLHUP);
}

/**
 * vmq_ext_continue() - an extension that had no answer has one now
 * @ep: the extension on the port
 *
 * Since version 3 of the interface. Call it between an answer of -EINPROGRESS and
 * the return of the session's complete.
 *
 * Context: Any but hard interrupts.
 */
void vmq_ext_continue(struct vmq_ext_port *ep)
{
	/* the timer of one that leaves its session may call at the same time */
	struct vmq_waiter *w = READ_ONCE(ep->waiter);

	if (w)
		vmq_waiter_kick(w);
}
EXPORT_SYMBOL_GPL(vmq_ext_continue);

/**
 * vmq_session_wait() - waits until an extension may have an answer
 * @s: the session
 * @kicks: of its waiter, before the extension was asked
 *
 * Context: Process context, no lock held.
 * Return: 0 where it may have one or the session is over, else -ERESTARTSYS.
 */
int vmq_session_wait(struct vmq_session *s, int kicks)
{
	return wait_event_interruptible(s->waiter.wait,
					atomic_read(&s->waiter.kicks) != kicks);
}

/**
 * vmq_session_wait_for() - as vmq_session_wait(), whatever signals come
 * @s: the session
 * @kicks: as there
 * @gone: nobody needs the answer any more; who sets it calls vmq_session_kick()
 *
 * Context: Process context, no lock held.
 */
void vmq_session_wait_for(struct vmq_session *s, int kicks, const bool *gone)
{
	wait_event_idle(s->waiter.wait, READ_ONCE(*gone) ||
			atomic_read(&s->waiter.kicks) != kicks);
}

/**
 * vmq_session_kick() - wakes who waits for an extension's answer
 * @s: the session
 *
 * Context: Any but hard interrupts.
 */
void vmq_session_kick(struct vmq_session *s)
{
	vmq_waiter_kick(&s->waiter);
}

/**
 * vmq_session_end() - the one way in which a session ends
 * @s: the session, its error and the text of it set before
 * @event: why it ends
 *
 * From here on the port and the extensions may go.
 *
 * Context: Process context, s->lock held, session not over; rtnl too where
 * something was applied.
 */
void vmq_session_end(struct vmq_session *s, enum vmq_migration_event event)
{
	lockdep_assert_held(&s->lock);
	vmq_session_finish(s);
	vmq_session_report(s);
	vmq_session_move(s, event);
	vmq_session_unpin(s);
	/* the lock is ours until the end, so it can't look too early */
	vmq_path_later(s->port);
	s->port = NULL;
	vmq_waiter_kick(&s->waiter);
}

/**
 * vmq_session_end_early() - ends a session that did not come to its end
 * @s: the session
 * @error: what the descriptor answers from now on
 * @why: text of @error, where nothing failed before
 * @event: why it ends
 *
 * Context: That of vmq_session_end().
 */
void vmq_session_end_early(struct vmq_session *s, int error, const char *why,
			   enum vmq_migration_event event)
{
	/* the reason of a failure is worth more than that of its end */
	if (!s->error)
		vmq_reason_set(&s->reason, "%s", why);
	s->error = error;
	vmq_session_end(s, event);
}

/**
 * vmq_session_saved() - the whole stream was read
 * @s: the session, a save
 *
 * Context: Process context, s->lock held, session not over.
 */
void vmq_session_saved(struct vmq_session *s)
{
	vmq_session_end(s, VMQ_MEV_SAVED);
}

/**
 * vmq_session_failed() - a read or write failed for good
 * @s: the session, its reason set
 * @error: what the descriptor answers from now on
 *
 * A save is over (O-34). A restore is over for the extensions, but stays for a
 * commit, which tells why it failed.
 *
 * Context: Process context, s->lock held, session not over.
 */
void vmq_session_failed(struct vmq_session *s, int error)
{
	lockdep_assert_held(&s->lock);
	s->error = error;
	if (!s->writing) {
		vmq_session_end(s, VMQ_MEV_FAILED);
		return;
	}
	vmq_session_finish(s);
	vmq_session_move(s, VMQ_MEV_FAILED);
}

/**
 * vmq_session_validate() - asks the owners of a whole stream's records
 * @s: the session, a restore
 *
 * Context: Process context, s->lock held, session not over, no error so far.
 * Return: 0 where all is good, -EINPROGRESS where somebody has no answer yet, or an
 * error, which is the session's too.
 */
int vmq_session_validate(struct vmq_session *s)
{
	int err;

	lockdep_assert_held(&s->lock);
	if (s->restore.validated)
		return 0;
	err = vmq_restore_validate(&s->restore, &s->reason);
	if (!err)
		vmq_session_move(s, VMQ_MEV_VALIDATED);
	else if (err != -EINPROGRESS)
		vmq_session_failed(s, err);
	return err;
}

/**
 * vmq_session_closed() - the descriptor was closed
 * @s: the session; the file's reference goes
 *
 * Context: Process context, rtnl held or not.
 */
void vmq_session_closed(struct vmq_session *s)
{
	mutex_lock(&s->lock);
	/* whoever commits it ends it */
	if (s->port && !s->committing)
		vmq_session_end_early(s, -ECANCELED,
				      "the descriptor was closed early",
				      VMQ_MEV_CLOSE);
	mutex_unlock(&s->lock);
	vmq_session_put(s);
}

/* ---- under rtnl ---- */

/**
 * vmq_session_runs() - does a save or restore of a port run?
 * @port: the port
 *
 * Context: Process context, rtnl held.
 * Return: true while extensions of the port take part in one.
 */
bool vmq_session_runs(struct vmq_port *port)
{
	struct vmq_session *s = port->session;
	bool runs;

	ASSERT_RTNL();
	if (!s)
		return false;
	/* waits for whoever is about to end it: the extensions are done then */
	mutex_lock(&s->lock);
	runs = s->port;
	mutex_unlock(&s->lock);
	return runs;
}

/**
 * vmq_session_leave() - takes an extension that goes out of a port's session
 * @port: the port
 * @ops: the extension
 *
 * The session goes on without it; see vmq_party_leave().
 *
 * Context: Process context, rtnl held.
 */
void vmq_session_leave(struct vmq_port *port, const struct vmq_ext_ops *ops)
{
	struct vmq_session *s = port->session;
	struct vmq_party *p;
	unsigned int i;

	ASSERT_RTNL();
	if (!s)
		return;
	mutex_lock(&s->lock);
	for (i = 2; s->port && i < s->n; i++) {
		p = &s->party[i];
		if (!p->ep || p->ep->ops != ops)
			continue;
		vmq_party_unpin(p);
		vmq_party_leave(p, s->writing);
	}
	vmq_waiter_kick(&s->waiter);
	mutex_unlock(&s->lock);
}

/* Lets go of a session that is over; its file may still be open. */
static void vmq_session_forget(struct vmq_port *port)
{
	if (!port->session)
		return;
	vmq_session_put(port->session);
	port->session = NULL;
}

static unsigned int vmq_session_parties(struct vmq_session *s,
					const struct vmq_stack *stack)
{
	unsigned int i, n = 0;

	s->core.dev = s->port->dev;
	s->core.ops = &vmq_core_ops;
	s->core.priv = s->port;
	s->party[n].ep = &s->core;
	s->party[n++].type = VMQ_RECORD_CORE;
	s->gate.dev = s->port->dev;
	s->gate.ops = &vmq_gate_party;
	s->gate.priv = s->port;
	s->party[n].ep = &s->gate;
	s->party[n++].type = VMQ_RECORD_EXT;
	for (i = 0; stack && i < stack->n; i++) {
		/* fails only for a module that is on its way out */
		if (!try_module_get(stack->ep[i]->ops->owner))
			continue;
		WRITE_ONCE(stack->ep[i]->waiter, &s->waiter);
		s->party[n].ep = stack->ep[i];
		s->party[n++].type = VMQ_RECORD_EXT;
	}
	return n;
}

static struct vmq_session *vmq_session_alloc(struct vmq_port *port,
					     bool restore)
{
	const struct vmq_stack *stack = rtnl_dereference(port->stack);
	unsigned int n = 2 + (stack ? stack->n : 0);
	size_t max = min(READ_ONCE(vmq_max_stream), VMQ_MAX_STREAM);
	struct vmq_session *s;

	s = kzalloc(struct_size(s, party, n), GFP_KERNEL_ACCOUNT);
	if (!s)
		return NULL;
	s->n = n;
	kref_init(&s->ref);
	mutex_init(&s->io);
	mutex_init(&s->lock);
	init_waitqueue_head(&s->waiter.wait);
	s->port = port;
	s->begin = ktime_get();
	s->writing = restore;
	s->n = vmq_session_parties(s, stack);
	if (restore) {
		s->restore.party = s->party;
		s->restore.n = s->n;
		s->restore.max = max;
	} else {
		s->save.party = s->party;
		s->save.n = s->n;
		s->save.max = max;
	}
	return s;
}

static int vmq_session_start(struct vmq_session *s,
			     struct netlink_ext_ack *extack)
{
	int err = 0;

	mutex_lock(&s->lock);
	/* extensions hear of a restore when its stream is there */
	if (!s->writing)
		err = vmq_save_start(&s->save, extack);
	if (err) {
		vmq_session_unpin(s);
		s->error = -ECANCELED;
		s->port = NULL;
	} else {
		vmq_session_move(s, s->writing ? VMQ_MEV_RESTORE_BEGIN :
						 VMQ_MEV_SAVE_BEGIN);
	}
	mutex_unlock(&s->lock);
	return err;
}

/**
 * vmq_session_begin() - begins a save or restore of a port
 * @port: the port
 * @restore: a restore, not a save
 * @filp: becomes the file that the stream is read from or written to; install
 *	it as the last thing that can't fail, or fput() it, which ends the
 *	session
 * @extack: says why not
 *
 * Context: Process context, rtnl held.
 * Return: 0, -EBUSY while another session of the port runs (SR-22, SR-26), the
 * error of an extension, or -ENOMEM.
 */
int vmq_session_begin(struct vmq_port *port, bool restore, struct file **filp,
		      struct netlink_ext_ack *extack)
{
	struct vmq_session *s;
	struct file *file;
	int err;

	ASSERT_RTNL();
	if (vmq_session_runs(port)) {
		NL_SET_ERR_MSG_FMT(extack, "a %s of %s runs already",
				   port->session->writing ? "restore" : "save",
				   port->dev->name);
		return -EBUSY;
	}
	s = vmq_session_alloc(port, restore);
	if (!s)
		return -ENOMEM;
	file = vmq_session_file(s);
	if (IS_ERR(file)) {
		vmq_session_unpin(s);
		vmq_session_put(s);
		return PTR_ERR(file);
	}
	/*
	 * What the guest sends and receives is the switch's from here on (L-15): a
	 * gate that shuts while frames go to a VF would keep none of them.
	 */
	vmq_path_fall_back(port);
	err = vmq_session_start(s, extack);
	if (err) {
		vmq_session_put(s);
		fput(file);
		vmq_path_resume(port);
		return err;
	}
	vmq_session_forget(port);
	port->session = s;
	*filp = file;
	return 0;
}

/* Ends the session, if it runs; true: it did. */
static bool vmq_session_stop(struct vmq_port *port, int error, const char *why)
{
	struct vmq_session *s = port->session;
	bool ran = false;

	ASSERT_RTNL();
	if (!s)
		return false;
	mutex_lock(&s->lock);
	if (s->port) {
		vmq_session_end_early(s, error, why, VMQ_MEV_ABORT);
		ran = true;
	}
	mutex_unlock(&s->lock);
	vmq_session_forget(port);
	return ran;
}

/**
 * vmq_session_abort() - ends a save or restore; the port is as it was before
 * @port: the port
 * @extack: says why not
 *
 * The descriptor answers -ECANCELED from then on. A save that ended well is
 * forgotten.
 *
 * Context: Process context, rtnl held.
 * Return: 0, or -ENOENT if there is neither.
 */
int vmq_session_abort(struct vmq_port *port, struct netlink_ext_ack *extack)
{
	int next = vmq_migration_next(READ_ONCE(port->migration),
				      VMQ_MEV_ABORT);

	if (vmq_session_stop(port, -ECANCELED, "it was aborted")) {
		/* a gate that has frames to deliver first tells when it has */
		vmq_path_resume(port);
		return 0;
	}
	if (next < 0) {
		NL_SET_ERR_MSG_FMT(extack, "no save or restore of %s runs",
				   port->dev->name);
		return next;
	}
	vmq_gate_save_undo(&port->gate);
	/* saved, or it ended by itself meanwhile: nobody else writes to it now */
	if (port->migration != next) {
		WRITE_ONCE(port->migration, next);
		vmq_notify_port(port);
	}
	return 0;
}

/**
 * vmq_session_kill() - ends the session of a port that goes away
 * @port: the port
 *
 * The descriptor answers -ENODEV from then on. Returns when no extension of the
 * port is called because of a session any more.
 *
 * Context: Process context, rtnl held.
 */
void vmq_session_kill(struct vmq_port *port)
{
	vmq_session_stop(port, -ENODEV, "the port was removed");
}
