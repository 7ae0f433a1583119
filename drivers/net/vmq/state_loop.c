// SPDX-License-Identifier: GPL-2.0
/*
 * The save loop and the restore: who is asked for records and who gets them, in
 * which order, and what happens where one of them fails.
 *
 * Knows parties and streams but no ports, files or locks, so that KUnit drives
 * it with made-up extensions. The caller sees to it that one function at a time
 * runs on a save or restore.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "state.h"

/**
 * vmq_reason_set() - remembers why something failed
 * @reason: the text, cut off where it is too long
 * @fmt: a sentence fragment, without a newline
 *
 * Context: Any.
 */
void vmq_reason_set(struct vmq_reason *reason, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vscnprintf(reason->text, sizeof(reason->text), fmt, args);
	va_end(args);
}

static const char *vmq_party_name(const struct vmq_party *p)
{
	return p->ep->ops->name;
}

/* What a party said, or at least that it was the one. */
static void vmq_party_reason(struct vmq_reason *reason,
			     const struct vmq_party *p, const char *doing,
			     const struct netlink_ext_ack *extack, int err)
{
	if (extack && extack->_msg)
		vmq_reason_set(reason, "%s: %s", vmq_party_name(p),
			       extack->_msg);
	else
		vmq_reason_set(reason, "%s %s (error %d)", vmq_party_name(p),
			       doing, err);
}

/*
 * Extensions are not trusted to return what they should. Only some callbacks may
 * ask to be called again later.
 */
static int vmq_party_answer(int err)
{
	return err > 0 ? -EIO : err;
}

static int vmq_party_error(int err)
{
	return err == -EINPROGRESS ? -EIO : vmq_party_answer(err);
}

static void vmq_party_complete(struct vmq_party *p, bool ok,
			       void (*complete)(struct vmq_ext_port *ep, bool ok))
{
	p->begun = false;
	if (complete)
		complete(p->ep, ok);
	p->ep->session = NULL;
}

static void vmq_party_finish(struct vmq_party *p, bool writing, bool ok)
{
	if (p->begun)
		vmq_party_complete(p, ok,
				   writing ? p->ep->ops->restore_complete :
					     p->ep->ops->save_complete);
}

/**
 * vmq_party_leave() - a party goes in the middle of a session
 * @p: the party
 * @writing: the session is a restore
 *
 * What it would have saved is not there; where it saved a part, the save is over.
 * Records that it would have owned and that are not optional are refused.
 *
 * Context: Process context, sleeps.
 */
void vmq_party_leave(struct vmq_party *p, bool writing)
{
	vmq_party_finish(p, writing, false);
	uuid_copy(&p->uuid, &p->ep->ops->uuid);
	p->ep = NULL;
}

/* ---- save ---- */

static int vmq_save_room(struct vmq_save *sv, u32 room)
{
	size_t size = vmq_stream_record_size(room);
	u8 *buf;

	if (sv->size >= size)
		return 0;
	/* all that is in it was asked for in vain or was read already */
	buf = kvzalloc(size, GFP_KERNEL_ACCOUNT);
	if (!buf)
		return -ENOMEM;
	kvfree(sv->buf);
	sv->buf = buf;
	sv->size = size;
	return 0;
}

/**
 * vmq_save_start() - tells the parties that a save begins (SR-04)
 * @sv: the save, parties and limit set, all else zero
 * @extack: says who refused
 *
 * Context: Process context, sleeps.
 * Return: 0, or an error; then those that had begun saw their complete.
 */
int vmq_save_start(struct vmq_save *sv, struct netlink_ext_ack *extack)
{
	unsigned int i;
	int err;

	err = vmq_save_room(sv, VMQ_SAVE_ROOM);
	if (err)
		return err;
	for (i = 0; i < sv->n; i++) {
		struct vmq_party *p = &sv->party[i];

		if (!p->ep->ops->save_begin)
			continue;
		err = vmq_party_error(p->ep->ops->save_begin(p->ep, extack));
		if (err) {
			if (extack && !extack->_msg)
				NL_SET_ERR_MSG_FMT(extack,
						   "%s refused the save",
						   vmq_party_name(p));
			vmq_save_finish(sv, false);
			return err;
		}
		p->begun = true;
	}
	return 0;
}

/* One record of one party: its bytes, 0 where it has no more, or an error. */
static int vmq_save_ask(struct vmq_save *sv, struct vmq_party *p,
			struct vmq_record *rec, struct vmq_reason *reason)
{
	u32 room = min_t(size_t, sv->size - VMQ_RECORD_HDR,
			 VMQ_RECORD_DATA_MAX);
	int tries, ret;

	for (tries = 0; tries <= VMQ_SAVE_REISSUES; tries++) {
		ret = vmq_save_room(sv, room);
		if (ret) {
			vmq_reason_set(reason, "no memory for a record of %u bytes",
				       room);
			return ret;
		}
		memset(rec, 0, sizeof(*rec));
		rec->data = sv->buf + VMQ_RECORD_HDR;
		rec->size = room;
		ret = p->ep->ops->save_next(p->ep, rec);
		if (ret != -EMSGSIZE)
			break;
		/* SR-07, SR-08: once more, with as much as it asked for */
		if (rec->needed <= room || rec->needed > VMQ_RECORD_DATA_MAX) {
			vmq_reason_set(reason, "%s asked for %u bytes after %u",
				       vmq_party_name(p), rec->needed, room);
			return -EIO;
		}
		room = rec->needed;
	}
	if (ret == -EMSGSIZE) {
		vmq_reason_set(reason, "%s asks for more room for ever",
			       vmq_party_name(p));
		return -EIO;
	}
	if (ret == -EINPROGRESS)
		return ret;
	if (ret < 0) {
		vmq_party_reason(reason, p, "failed to save", NULL, ret);
		return ret;
	}
	if ((u32)ret > room || rec->flags & ~VMQ_RECORD_OPTIONAL) {
		vmq_reason_set(reason, "%s returned an impossible record",
			       vmq_party_name(p));
		return -EIO;
	}
	return ret;
}

/* Would the stream be too large with this much more and its end? */
static bool vmq_save_full(const struct vmq_save *sv, size_t more)
{
	return sv->w.bytes + more + VMQ_STREAM_END_SIZE > sv->max;
}

static int vmq_save_record(struct vmq_save *sv, struct vmq_reason *reason)
{
	struct vmq_record rec;
	u8 ext[UUID_SIZE];
	u8 class[UUID_SIZE];
	int ret;

	for (; sv->next < sv->n; sv->next++) {
		struct vmq_party *p = &sv->party[sv->next];

		if (!p->ep && p->saved) {
			vmq_reason_set(reason, "it went away in the middle of its records");
			return -EPIPE;
		}
		if (!p->begun)
			continue;
		ret = vmq_save_ask(sv, p, &rec, reason);
		if (ret < 0)
			return ret;
		/* SR-10: nothing more, so the one below has its turn */
		if (!ret)
			continue;
		p->saved = true;
		if (vmq_save_full(sv, vmq_stream_record_size(ret))) {
			vmq_reason_set(reason, "%s has more than fits a stream of %zu bytes",
				       vmq_party_name(p), sv->max);
			return -EFBIG;
		}
		export_uuid(ext, &p->ep->ops->uuid);
		export_uuid(class, &rec.class);
		sv->len = vmq_stream_seal_record(&sv->w, sv->buf, p->type,
						 rec.flags, ext, class,
						 rec.version, ret);
		return 1;
	}
	return 0;
}

/**
 * vmq_save_part() - makes the next part of the stream (SR-11 to SR-14)
 * @sv: the save; its buffer holds the part afterwards and is overwritten by
 *	the next
 * @reason: says why it failed
 *
 * Context: Process context, sleeps.
 * Return: 1 with a part in the buffer, 0 where the stream is complete,
 * -EINPROGRESS where a party has no answer yet (SR-17): ask again; or an error; the
 * save is over then and its records are void (O-34).
 */
int vmq_save_part(struct vmq_save *sv, struct vmq_reason *reason)
{
	int ret;

	sv->len = 0;
	switch (sv->step) {
	case VMQ_SAVE_HEADER:
		sv->len = vmq_stream_put_header(&sv->w, sv->buf,
						VMQ_VERSION_CODE);
		sv->step = VMQ_SAVE_RECORDS;
		return 1;
	case VMQ_SAVE_RECORDS:
		ret = vmq_save_record(sv, reason);
		if (ret)
			return ret;
		sv->step = VMQ_SAVE_END;
		fallthrough;
	case VMQ_SAVE_END:
		sv->len = vmq_stream_put_end(&sv->w, sv->buf);
		sv->step = VMQ_SAVE_DONE;
		return 1;
	case VMQ_SAVE_DONE:
		break;
	}
	return 0;
}

/**
 * vmq_save_finish() - tells the parties that the save is over (SR-18, SR-19)
 * @sv: the save
 * @ok: the whole stream was made and read
 *
 * Each party that saw a begin sees one complete, however often this is called.
 *
 * Context: Process context, sleeps.
 */
void vmq_save_finish(struct vmq_save *sv, bool ok)
{
	unsigned int i;

	for (i = 0; i < sv->n; i++)
		vmq_party_finish(&sv->party[i], false, ok);
}

/* ---- restore ---- */

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
	}
	return 0;
}

/**
 * vmq_restore_unclaimed() - lists the records that nobody took (SR-35, O-36)
 * @rs: the restore, its stream complete
 * @fn: called for each
 * @ctx: for @fn
 *
 * Context: That of @fn.
 */
void vmq_restore_unclaimed(struct vmq_restore *rs, vmq_unclaimed_fn fn,
			   void *ctx)
{
	struct vmq_stream_view view;
	size_t pos = 0;

	while (vmq_stream_next(rs->buf, rs->len, &pos, &view))
		if (!vmq_restore_owner(rs, &view))
			fn(ctx, &view);
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
