// SPDX-License-Identifier: GPL-2.0
/*
 * The save loop: who is asked for records, in which order, and what happens where
 * one of them fails.
 *
 * Knows parties and streams but no ports, files or locks, so that KUnit drives
 * it with made-up extensions. The caller sees to it that one function at a time
 * runs on a save.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "state.h"

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
