// SPDX-License-Identifier: GPL-2.0
/*
 * The extension meter: levels and counters to and from a saved stream.
 *
 * What is left of each burst travels, so that a guest that moves is not granted
 * another one. Rates and bursts are configuration, which the other host has by
 * itself; time that passes on the way earns nothing. If the limit is set on the
 * other host after the restore only, it takes the level then.
 */
#include <linux/rtnetlink.h>
#include <linux/slab.h>

#include "meter.h"

#define METER_REC_SIZE	(sizeof(struct vmq_meter_rec_hdr) +		\
			 VMQ_METER_REC_DIRS *				\
			 sizeof(struct vmq_meter_rec_dir))

static_assert(sizeof(struct vmq_meter_rec_hdr) == 8);
static_assert(sizeof(struct vmq_meter_rec_dir) == 64);
static_assert(VMQ_METER_REC_RX == VMQ_TO_GUEST);
static_assert(VMQ_METER_REC_TX == VMQ_FROM_GUEST);

/* ---- save ---- */

/**
 * meter_save_begin - see &vmq_ext_ops.save_begin
 * @ep: the port
 * @extack: unused
 *
 * Return: 0
 */
int meter_save_begin(struct vmq_ext_port *ep, struct netlink_ext_ack *extack)
{
	/* not NULL once the record was given */
	ep->session = NULL;
	return 0;
}

static void meter_rec_fill(struct vmq_meter_rec_dir *rec,
			   const struct meter_port *m, int dir, u64 now)
{
	static const u8 flag[METER_KINDS] = {
		[METER_BYTES] = VMQ_METER_REC_BYTES,
		[METER_PACKETS] = VMQ_METER_REC_PACKETS,
	};
	const struct meter_config *config = meter_config_locked(m);
	const struct meter_bucket *b = m->bucket[dir].kind;
	const struct meter_level *level = m->level[dir];
	const struct meter_limit *limit;
	s64 tokens[METER_KINDS] = {};
	u64 sum[2][METER_COUNTERS];
	int kind;

	rec->direction = dir;
	for (kind = 0; kind < METER_KINDS; kind++) {
		limit = config ? &config->limit[dir][kind] : NULL;
		if (limit && limit->rate)
			tokens[kind] = meter_bucket_tokens(&b[kind], limit,
							   now);
		else if (level[kind].valid)
			tokens[kind] = level[kind].tokens;
		else
			continue;
		tokens[kind] = clamp(tokens[kind], -VMQ_METER_REC_TOKENS_MAX,
				     VMQ_METER_REC_TOKENS_MAX);
		rec->flags |= flag[kind];
	}
	rec->byte_tokens = cpu_to_le64(tokens[METER_BYTES]);
	rec->packet_tokens = cpu_to_le64(tokens[METER_PACKETS]);

	meter_counters(m, sum);
	rec->passed_packets = cpu_to_le64(sum[dir][METER_PASSED_PACKETS]);
	rec->passed_bytes = cpu_to_le64(sum[dir][METER_PASSED_BYTES]);
	rec->dropped_packets = cpu_to_le64(sum[dir][METER_DROPPED_PACKETS]);
	rec->dropped_bytes = cpu_to_le64(sum[dir][METER_DROPPED_BYTES]);
	rec->delayed_packets = cpu_to_le64(sum[dir][METER_DELAYED_PACKETS]);
}

/**
 * meter_save_next - see &vmq_ext_ops.save_next
 * @ep: the port
 * @rec: the record
 *
 * Return: bytes, 0 at the end, or -EMSGSIZE
 */
int meter_save_next(struct vmq_ext_port *ep, struct vmq_record *rec)
{
	struct {
		struct vmq_meter_rec_hdr hdr;
		struct vmq_meter_rec_dir dir[VMQ_METER_REC_DIRS];
	} data = {
		.hdr.entry_size = cpu_to_le16(sizeof(data.dir[0])),
		.hdr.count = cpu_to_le32(VMQ_METER_REC_DIRS),
	};
	struct meter_port *m = ep->priv;
	u64 now = meter_clock();
	int dir;

	static_assert(sizeof(data) == METER_REC_SIZE);
	if (ep->session)
		return 0;
	if (rec->size < sizeof(data)) {
		rec->needed = sizeof(data);
		return -EMSGSIZE;
	}
	meter_lock(m);
	for (dir = 0; dir < VMQ_METER_REC_DIRS; dir++)
		meter_rec_fill(&data.dir[dir], m, dir, now);
	meter_unlock(m);

	memcpy(rec->data, &data, sizeof(data));
	rec->class = uuid_null;
	rec->version = VMQ_METER_REC_VERSION;
	/* a guest is better off with a burst too many than not moved at all */
	rec->flags = VMQ_RECORD_OPTIONAL;
	ep->session = m;
	return sizeof(data);
}

/* ---- restore ---- */

/* What a port had before a restore. */
struct meter_session {
	bool applied;
	u64 base[2][METER_COUNTERS];
	struct meter_level level[2][METER_KINDS];
	s64 full_at[2 * METER_KINDS];
};

/* Each of the buckets. */
static atomic64_t *meter_full_at(struct meter_port *m, int i)
{
	return &m->bucket[i / METER_KINDS].kind[i % METER_KINDS].full_at;
}

/**
 * meter_restore_begin - see &vmq_ext_ops.restore_begin
 * @ep: the port
 * @extack: says why not
 *
 * Return: 0 or -ENOMEM
 */
int meter_restore_begin(struct vmq_ext_port *ep,
			struct netlink_ext_ack *extack)
{
	struct meter_session *session;

	session = kzalloc(sizeof(*session), GFP_KERNEL_ACCOUNT);
	if (!session) {
		NL_SET_ERR_MSG(extack, "meter: no memory for a restore");
		return -ENOMEM;
	}
	ep->session = session;
	return 0;
}

/**
 * meter_validate - see &vmq_ext_ops.validate
 * @ep: the port
 * @rec: the record
 * @extack: says what is wrong with it
 *
 * Return: 0, -EOPNOTSUPP or -EINVAL
 */
int meter_validate(struct vmq_ext_port *ep, const struct vmq_record *rec,
		   struct netlink_ext_ack *extack)
{
	struct vmq_meter_rec_dir dir[VMQ_METER_REC_DIRS];
	unsigned int present;
	const char *wrong;

	if (rec->version != VMQ_METER_REC_VERSION ||
	    !uuid_is_null(&rec->class)) {
		NL_SET_ERR_MSG(extack, "meter: a record is of an unknown version or class");
		return -EOPNOTSUPP;
	}
	wrong = vmq_meter_rec_parse(rec->data, rec->size, dir, &present);
	if (wrong) {
		NL_SET_ERR_MSG_FMT(extack, "%s", wrong);
		return -EINVAL;
	}
	return 0;
}

static void meter_apply_level(struct meter_port *m, int dir, int kind,
			      s64 tokens, u64 now)
{
	const struct meter_config *config = rtnl_dereference(m->config);
	struct meter_level *level = &m->level[dir][kind];

	if (config && config->limit[dir][kind].rate) {
		meter_bucket_set(&m->bucket[dir].kind[kind],
				 &config->limit[dir][kind], tokens, now);
		return;
	}
	level->valid = true;
	level->tokens = tokens;
	level->at = now;
}

/* As the core's: what is shown goes up to what was saved, and never down. */
static void meter_apply_counter(struct meter_port *m, int dir, int i, u64 local,
				__le64 field)
{
	u64 saved = le64_to_cpu(field);

	if (saved > local)
		m->base[dir][i] += saved - local;
}

static void meter_apply_dir(struct meter_port *m, int dir,
			    const struct vmq_meter_rec_dir *rec, u64 now)
{
	u64 sum[2][METER_COUNTERS];

	if (rec->flags & VMQ_METER_REC_BYTES)
		meter_apply_level(m, dir, METER_BYTES,
				  le64_to_cpu(rec->byte_tokens), now);
	if (rec->flags & VMQ_METER_REC_PACKETS)
		meter_apply_level(m, dir, METER_PACKETS,
				  le64_to_cpu(rec->packet_tokens), now);

	meter_counters(m, sum);
	meter_apply_counter(m, dir, METER_PASSED_PACKETS,
			    sum[dir][METER_PASSED_PACKETS],
			    rec->passed_packets);
	meter_apply_counter(m, dir, METER_PASSED_BYTES,
			    sum[dir][METER_PASSED_BYTES], rec->passed_bytes);
	meter_apply_counter(m, dir, METER_DROPPED_PACKETS,
			    sum[dir][METER_DROPPED_PACKETS],
			    rec->dropped_packets);
	meter_apply_counter(m, dir, METER_DROPPED_BYTES,
			    sum[dir][METER_DROPPED_BYTES], rec->dropped_bytes);
	meter_apply_counter(m, dir, METER_DELAYED_PACKETS,
			    sum[dir][METER_DELAYED_PACKETS],
			    rec->delayed_packets);
}

/**
 * meter_apply - see &vmq_ext_ops.apply
 * @ep: the port
 * @rec: the record
 * @extack: says why not
 *
 * Return: 0 or -EINVAL
 */
int meter_apply(struct vmq_ext_port *ep, const struct vmq_record *rec,
		struct netlink_ext_ack *extack)
{
	struct vmq_meter_rec_dir rec_dir[VMQ_METER_REC_DIRS];
	struct meter_session *session = ep->session;
	struct meter_port *m = ep->priv;
	u64 now = meter_clock();
	unsigned int present;
	int dir, i;

	/* cheap, and a bucket is not the place for what was not validated */
	if (vmq_meter_rec_parse(rec->data, rec->size, rec_dir, &present))
		return -EINVAL;

	meter_lock(m);
	if (!session->applied) {
		memcpy(session->base, m->base, sizeof(m->base));
		memcpy(session->level, m->level, sizeof(m->level));
		for (i = 0; i < 2 * METER_KINDS; i++)
			session->full_at[i] =
				atomic64_read(meter_full_at(m, i));
		session->applied = true;
	}
	for (dir = 0; dir < VMQ_METER_REC_DIRS; dir++)
		if (present & BIT(dir))
			meter_apply_dir(m, dir, &rec_dir[dir], now);
	meter_unlock(m);
	return 0;
}

/**
 * meter_rollback - see &vmq_ext_ops.rollback
 * @ep: the port
 */
void meter_rollback(struct vmq_ext_port *ep)
{
	struct meter_session *session = ep->session;
	struct meter_port *m = ep->priv;
	int i;

	meter_lock(m);
	memcpy(m->base, session->base, sizeof(m->base));
	memcpy(m->level, session->level, sizeof(m->level));
	for (i = 0; i < 2 * METER_KINDS; i++)
		atomic64_set(meter_full_at(m, i), session->full_at[i]);
	meter_unlock(m);
	session->applied = false;
}

/**
 * meter_restore_complete - see &vmq_ext_ops.restore_complete
 * @ep: the port
 * @ok: whether the restore went well
 */
void meter_restore_complete(struct vmq_ext_port *ep, bool ok)
{
	kfree(ep->session);
	ep->session = NULL;
}
