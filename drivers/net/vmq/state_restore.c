// SPDX-License-Identifier: GPL-2.0
/*
 * The restore: who gets the records of a stream, in which order, and what happens
 * where one of them is refused.
 *
 * Knows parties and streams but no ports, files or locks, so that KUnit drives
 * it with made-up extensions. The caller sees to it that one function at a time
 * runs on a restore.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "state.h"

/**
 * vmq_restore_reserve() - makes room for bytes that are about to arrive
 * @rs: the restore
 * @more: bytes
 * @reason: says why it failed
 *
 * Context: Process context, sleeps. The memory is charged to the caller.
 * Return: 0, -EFBIG if the stream would be too large, or -ENOMEM.
 */
int vmq_restore_reserve(struct vmq_restore *rs, size_t more,
			struct vmq_reason *reason)
{
	size_t size = rs->len + more;
	u8 *buf;

	if (size > rs->max) {
		vmq_reason_set(reason, "the stream is larger than %zu bytes",
			       rs->max);
		return -EFBIG;
	}
	if (size <= rs->size)
		return 0;
	/* doubled, so that what is copied stays in proportion to the stream */
	size = min(max3(rs->size * 2, size, (size_t)PAGE_SIZE), rs->max);
	/* the writer chose the size, and need not fill the log with it */
	buf = kvmalloc(size, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!buf)
		return -ENOMEM;
	if (rs->len)
		memcpy(buf, rs->buf, rs->len);
	kvfree(rs->buf);
	rs->buf = buf;
	rs->size = size;
	return 0;
}

/**
 * vmq_restore_feed() - looks at bytes that arrived
 * @rs: the restore
 * @added: bytes that are new in the buffer, behind its length
 * @reason: says why the stream is refused
 *
 * Context: Process context.
 * Return: 1 where the stream is complete and undamaged, 0 where more is wanted,
 * or what vmq_stream_parse() and vmq_stream_check() refuse with.
 */
int vmq_restore_feed(struct vmq_restore *rs, size_t added,
		     struct vmq_reason *reason)
{
	struct vmq_stream_error err;
	int ret;

	rs->len += added;
	ret = vmq_stream_parse(&rs->parser, rs->buf, rs->len, &err);
	if (!ret)
		return 0;
	if (ret > 0)
		ret = vmq_stream_check(rs->buf, rs->len, &rs->records, &err);
	if (ret) {
		vmq_reason_set(reason, "%s, at byte %zu", err.what, err.offset);
		return ret;
	}
	return 1;
}

/* Is it the party that a record of this type and uuid belongs to? */
static bool vmq_party_owns(const struct vmq_party *p, u16 type,
			   const uuid_t *ext)
{
	if (p->type != type)
		return false;
	if (!p->ep)
		return uuid_equal(&p->uuid, ext);
	return p->ep->ops->apply && (type == VMQ_RECORD_CORE ||
				     uuid_equal(&p->ep->ops->uuid, ext));
}

/*
 * Who takes a record: the party whose uuid it has, nothing else counts (SR-30).
 * NULL where nobody does, or where its owner does not know it or is gone, and it
 * may be skipped; an error pointer where it may not.
 */
static struct vmq_party *vmq_restore_owner(const struct vmq_restore *rs,
					   const struct vmq_stream_view *view)
{
	struct vmq_party *p, *owner = NULL;
	unsigned int i;
	uuid_t ext;

	import_uuid(&ext, view->ext);
	for (i = 0; i < rs->n && !owner; i++) {
		p = &rs->party[i];
		if (vmq_party_owns(p, view->type, &ext))
			owner = p;
	}
	if (!owner)
		return NULL;
	if (owner->ep && view->version <= owner->ep->ops->data_version)
		return owner;
	if (view->flags & VMQ_RECORD_OPTIONAL)
		return NULL;
	return ERR_PTR(owner->ep ? -EOPNOTSUPP : -EPIPE);
}

static int vmq_restore_no_owner(const struct vmq_stream_view *view,
				unsigned int index, int err,
				struct vmq_reason *reason)
{
	if (err == -EPIPE)
		vmq_reason_set(reason, "record %u: its extension went away",
			       index);
	else
		vmq_reason_set(reason, "record %u: data of version %u is too new",
			       index, view->version);
	return err;
}

static void vmq_restore_record(const struct vmq_stream_view *view,
			       struct vmq_record *rec)
{
	memset(rec, 0, sizeof(*rec));
	import_uuid(&rec->class, view->class);
	rec->version = view->version;
	rec->flags = view->flags;
	rec->size = view->length;
	/* no owner writes to it; const would not suit save_next() */
	rec->data = (void *)view->data;
}

static void vmq_restore_reason(struct vmq_reason *reason,
			       const struct vmq_party *p, unsigned int index,
			       const char *doing,
			       const struct netlink_ext_ack *extack)
{
	vmq_reason_set(reason, "%s, record %u: %s", vmq_party_name(p), index,
		       extack->_msg ?: doing);
}

static int vmq_restore_validate_one(struct vmq_restore *rs,
				    const struct vmq_stream_view *view,
				    unsigned int index,
				    struct vmq_reason *reason)
{
	struct vmq_party *p = vmq_restore_owner(rs, view);
	struct netlink_ext_ack extack = {};
	struct vmq_record rec;
	int err;

	if (IS_ERR(p))
		return vmq_restore_no_owner(view, index, PTR_ERR(p), reason);
	if (!p) {
		rs->unclaimed++;
		return 0;
	}
	if (!p->ep->ops->validate)
		return 0;
	vmq_restore_record(view, &rec);
	err = vmq_party_answer(p->ep->ops->validate(p->ep, &rec, &extack));
	if (err && err != -EINPROGRESS)
		vmq_restore_reason(reason, p, index, "refused", &extack);
	return err;
}

static int vmq_restore_begin(struct vmq_restore *rs, struct vmq_reason *reason)
{
	struct netlink_ext_ack extack = {};
	unsigned int i;
	int err;

	for (i = 0; i < rs->n; i++) {
		struct vmq_party *p = &rs->party[i];
		const struct vmq_ext_ops *ops = p->ep ? p->ep->ops : NULL;

		if (!ops || !ops->apply)
			continue;
		if (ops->restore_begin) {
			err = vmq_party_error(ops->restore_begin(p->ep,
								 &extack));
			if (err) {
				vmq_party_reason(reason, p,
						 "refused the restore",
						 &extack, err);
				return err;
			}
		}
		p->begun = true;
	}
	return 0;
}

/**
 * vmq_restore_validate() - asks the owners whether they can take their records
 * @rs: the restore, its stream complete
 * @reason: says who refused what
 *
 * Begins the restore for every party, with records or without.
 *
 * Context: Process context, sleeps.
 * Return: 0; -EINPROGRESS where a party has no answer yet (SR-39): ask again; or an
 * error; then those that had begun saw their complete.
 */
int vmq_restore_validate(struct vmq_restore *rs, struct vmq_reason *reason)
{
	struct vmq_stream_view view;
	size_t pos = rs->pos;
	int err = 0;

	if (!rs->begun) {
		rs->begun = true;
		err = vmq_restore_begin(rs, reason);
	}
	while (!err && vmq_stream_next(rs->buf, rs->len, &pos, &view)) {
		err = vmq_restore_validate_one(rs, &view, rs->index + 1,
					       reason);
		if (err)
			break;
		rs->pos = pos;
		rs->index++;
		/* there may be hundreds of thousands, and only headers */
		cond_resched();
	}
	if (err == -EINPROGRESS)
		return err;
	if (err)
		vmq_restore_finish(rs, false);
	/* what comes next is to apply them */
	rs->validated = !err;
	rs->pos = 0;
	rs->index = 0;
	return err;
}

/**
 * vmq_restore_rollback() - undoes all that was applied (SR-36)
 * @rs: the restore
 *
 * The last party first; who applied nothing has nothing to undo.
 *
 * Context: Process context, sleeps, rtnl held.
 */
void vmq_restore_rollback(struct vmq_restore *rs)
{
	unsigned int i;

	for (; rs->applied; rs->applied--) {
		for (i = 0; i < rs->n; i++) {
			struct vmq_party *p = &rs->party[i];

			if (p->applied != rs->applied)
				continue;
			p->applied = 0;
			if (p->ep && p->ep->ops->rollback)
				p->ep->ops->rollback(p->ep);
		}
	}
}

static int vmq_restore_apply_one(struct vmq_restore *rs,
				 const struct vmq_stream_view *view,
				 unsigned int index, struct vmq_reason *reason)
{
	struct vmq_party *p = vmq_restore_owner(rs, view);
	struct netlink_ext_ack extack = {};
	struct vmq_record rec;
	int err;

	/* one that was there to validate it, and is gone */
	if (IS_ERR(p))
		return vmq_restore_no_owner(view, index, PTR_ERR(p), reason);
	if (!p)
		return 0;
	vmq_restore_record(view, &rec);
	err = vmq_party_answer(p->ep->ops->apply(p->ep, &rec, &extack));
	if (!err && !p->applied)
		p->applied = ++rs->applied;
	if (err && err != -EINPROGRESS)
		vmq_restore_reason(reason, p, index, "failed to apply",
				   &extack);
	return err;
}

/**
 * vmq_restore_apply() - applies a stream that was validated (SR-29, SR-31)
 * @rs: the restore
 * @reason: says which record failed
 *
 * All of it or nothing: where one record fails, all that were applied are
 * undone (SR-36). The parties' complete is left to vmq_restore_finish().
 *
 * Context: Process context, sleeps.
 * Return: 0; -EINPROGRESS where a party has no answer yet (SR-39): call it again, or
 * vmq_restore_rollback(); or the error of the record that failed.
 */
int vmq_restore_apply(struct vmq_restore *rs, struct vmq_reason *reason)
{
	struct vmq_stream_view view;
	size_t pos = rs->pos;
	int err;

	while (vmq_stream_next(rs->buf, rs->len, &pos, &view)) {
		err = vmq_restore_apply_one(rs, &view, rs->index + 1, reason);
		if (err == -EINPROGRESS)
			return err;
		if (err) {
			vmq_restore_rollback(rs);
			return err;
		}
		rs->pos = pos;
		rs->index++;
		cond_resched();
	}
	return 0;
}

/**
 * vmq_restore_unclaimed() - lists the records that nobody took (SR-35, O-36)
 * @rs: the restore, its stream complete
 * @fn: called for each
 * @ctx: for @fn
 *
 * Context: Process context, sleeps; that of @fn.
 */
void vmq_restore_unclaimed(struct vmq_restore *rs, vmq_unclaimed_fn fn,
			   void *ctx)
{
	struct vmq_stream_view view;
	size_t pos = 0;

	while (vmq_stream_next(rs->buf, rs->len, &pos, &view)) {
		if (!vmq_restore_owner(rs, &view))
			fn(ctx, &view);
		cond_resched();
	}
}

/**
 * vmq_restore_finish() - tells the parties that the restore is over (SR-40)
 * @rs: the restore
 * @ok: everything was applied
 *
 * Each party that saw a begin sees one complete, however often this is called.
 *
 * Context: Process context, sleeps.
 */
void vmq_restore_finish(struct vmq_restore *rs, bool ok)
{
	unsigned int i;

	for (i = 0; i < rs->n; i++)
		vmq_party_finish(&rs->party[i], true, ok);
}
