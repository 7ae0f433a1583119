// SPDX-License-Identifier: GPL-2.0
/*
 * The extension meter: configuration of a port over netlink, and its dump.
 *
 * A request changes what it names and leaves the rest. The attribute set is
 * described in Documentation/netlink/specs/vmq.yaml.
 */
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <net/netlink.h>

#include "meter.h"

#define METER_ANSWER_ONLY						\
	{								\
		.type = NLA_REJECT,					\
		.reject_message = "meter: attribute is for answers only", \
	}

static const struct netlink_range_validation meter_burst_range = {
	.min = 1,
	.max = U32_MAX,
};

static const struct netlink_range_validation meter_shape_range = {
	.min = 1,
	.max = METER_SHAPE_MAX,
};

static const struct nla_policy meter_policy[VMQ_A_METER_MAX + 1] = {
	[VMQ_A_METER_RX_RATE] = { .type = NLA_U64 },
	[VMQ_A_METER_RX_BURST] =
		NLA_POLICY_FULL_RANGE(NLA_U32, &meter_burst_range),
	[VMQ_A_METER_RX_PPS] = { .type = NLA_U32 },
	[VMQ_A_METER_RX_PPS_BURST] =
		NLA_POLICY_FULL_RANGE(NLA_U32, &meter_burst_range),
	[VMQ_A_METER_TX_RATE] = { .type = NLA_U64 },
	[VMQ_A_METER_TX_BURST] =
		NLA_POLICY_FULL_RANGE(NLA_U32, &meter_burst_range),
	[VMQ_A_METER_TX_PPS] = { .type = NLA_U32 },
	[VMQ_A_METER_TX_PPS_BURST] =
		NLA_POLICY_FULL_RANGE(NLA_U32, &meter_burst_range),
	[VMQ_A_METER_SHAPE] = NLA_POLICY_MAX(NLA_U8, 1),
	[VMQ_A_METER_SHAPE_LIMIT] =
		NLA_POLICY_FULL_RANGE(NLA_U32, &meter_shape_range),
	[VMQ_A_METER_CLEAR] = { .type = NLA_FLAG },
	[VMQ_A_METER_RX_TOKENS ... VMQ_A_METER_MAX] = METER_ANSWER_ONLY,
};

/* The attributes of a limit: rate, and burst behind it. */
static int meter_attr(int dir, int kind)
{
	return (dir == VMQ_TO_GUEST ? VMQ_A_METER_RX_RATE :
				      VMQ_A_METER_TX_RATE) + 2 * kind;
}

static_assert(VMQ_A_METER_RX_PPS - VMQ_A_METER_RX_RATE == 2);
static_assert(VMQ_A_METER_TX_PPS_BURST - VMQ_A_METER_TX_RATE == 3);

/* ---- set ---- */

static u32 meter_burst_default(enum meter_kind kind, u64 rate)
{
	u64 burst = div_u64(rate, MSEC_PER_SEC / METER_BURST_MSECS);

	if (kind == METER_BYTES)
		return clamp_t(u64, burst / BITS_PER_BYTE, METER_BURST_DEFAULT,
			       U32_MAX);
	return max_t(u64, burst, METER_PPS_BURST_DEFAULT);
}

static int meter_config_rate(enum meter_kind kind, const struct nlattr *attr,
			     u64 *rate, struct netlink_ext_ack *extack)
{
	if (kind == METER_BYTES) {
		*rate = nla_get_u64(attr);
		if (!*rate || (*rate >= METER_RATE_MIN &&
			       *rate <= METER_RATE_MAX))
			return 0;
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "meter: a rate is 8 kbit to 1 Tbit a second, or 0");
		return -ERANGE;
	}
	*rate = nla_get_u32(attr);
	if (*rate <= METER_PPS_MAX)
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, attr,
			    "meter: a rate is up to 1000000000 packets a second");
	return -ERANGE;
}

static int meter_config_limit(struct meter_limit *limit, enum meter_kind kind,
			      const struct nlattr *rate_attr,
			      const struct nlattr *burst_attr,
			      struct netlink_ext_ack *extack)
{
	u64 rate = limit->rate;
	int err;

	if (!rate_attr && !burst_attr)
		return 0;
	if (rate_attr) {
		err = meter_config_rate(kind, rate_attr, &rate, extack);
		if (err)
			return err;
	}
	if (!rate && burst_attr) {
		NL_SET_ERR_MSG_ATTR(extack, burst_attr,
				    "meter: a burst needs a rate");
		return -EINVAL;
	}
	if (!rate) {
		memset(limit, 0, sizeof(*limit));
		return 0;
	}
	if (burst_attr)
		limit->burst_set = true;
	err = meter_limit_set(limit, kind, rate,
			      burst_attr ? nla_get_u32(burst_attr) :
			      limit->burst_set ? limit->burst :
			      meter_burst_default(kind, rate));
	if (err)
		NL_SET_ERR_MSG_ATTR(extack, burst_attr ?: rate_attr,
				    "meter: at this rate the burst takes more than an hour");
	return err;
}

static bool meter_limits_tx(const struct meter_config *config)
{
	return config->limit[VMQ_FROM_GUEST][METER_BYTES].rate ||
	       config->limit[VMQ_FROM_GUEST][METER_PACKETS].rate;
}

static int meter_config_shape(struct meter_config *config,
			      struct nlattr **tb,
			      struct netlink_ext_ack *extack)
{
	struct nlattr *shape = tb[VMQ_A_METER_SHAPE];
	struct nlattr *limit = tb[VMQ_A_METER_SHAPE_LIMIT];

	if (shape && nla_get_u8(shape) && !meter_limits_tx(config)) {
		NL_SET_ERR_MSG_ATTR(extack, shape,
				    "meter: to shape, set a limit for tx");
		return -EINVAL;
	}
	if (shape) {
		if (nla_get_u8(shape) && !config->shape)
			config->shape_limit = METER_SHAPE_DEFAULT;
		config->shape = nla_get_u8(shape);
	}
	/* goes with the limit that it is about */
	if (!meter_limits_tx(config))
		config->shape = false;
	if (limit && !config->shape) {
		NL_SET_ERR_MSG_ATTR(extack, limit,
				    "meter: shape-limit is for a port that is shaped");
		return -EINVAL;
	}
	if (limit)
		config->shape_limit = nla_get_u32(limit);
	return 0;
}

/* All that is asked for, into a copy of what there is. */
static int meter_config_parse(struct meter_config *config, struct nlattr **tb,
			      struct netlink_ext_ack *extack)
{
	int attr, dir, kind;
	int err;

	if (tb[VMQ_A_METER_CLEAR])
		memset(config, 0, sizeof(*config));
	for (dir = 0; dir < 2; dir++) {
		for (kind = 0; kind < METER_KINDS; kind++) {
			attr = meter_attr(dir, kind);
			err = meter_config_limit(&config->limit[dir][kind],
						 kind, tb[attr], tb[attr + 1],
						 extack);
			if (err)
				return err;
		}
	}
	return meter_config_shape(config, tb, extack);
}

/* A limit has what was left under the old one; a new one starts full, unless a
 * restore has said what was left of it on the other host.
 */
static void meter_config_level(struct meter_port *m,
			       const struct meter_limit *old,
			       const struct meter_limit *new, int dir, int kind,
			       u64 now)
{
	struct meter_bucket *b = &m->bucket[dir].kind[kind];
	struct meter_level *level = &m->level[dir][kind];
	s64 tokens = new->burst;

	if (!new->rate)
		return;
	if (old && old->rate)
		tokens = meter_bucket_tokens(b, old, now);
	else if (level->valid && now - level->at <= METER_FILL_MAX)
		tokens = level->tokens +
			 meter_limit_earned(new, now - level->at);
	level->valid = false;
	meter_bucket_set(b, new, tokens, now);
}

static void meter_config_publish(struct meter_port *m,
				 struct meter_config *config)
{
	struct meter_config *old;
	bool limits = false;
	int dir, kind;
	u64 now;

	meter_lock(m);
	old = meter_config_locked(m);
	now = meter_clock();
	for (dir = 0; dir < 2; dir++) {
		for (kind = 0; kind < METER_KINDS; kind++) {
			limits |= config->limit[dir][kind].rate;
			meter_config_level(m, old ? &old->limit[dir][kind] :
						    NULL,
					   &config->limit[dir][kind], dir, kind,
					   now);
		}
	}
	rcu_assign_pointer(m->config, limits ? config : NULL);
	meter_unlock(m);

	if (!limits)
		kfree(config);
	if (old)
		kfree_rcu(old, rcu);
	meter_shape_kick(m);
}

/**
 * meter_config_set - see &vmq_ext_ops.config_set
 * @ep: the port
 * @config: attributes VMQ_A_METER_*
 * @extack: says why not
 *
 * Return: 0 or an error
 */
int meter_config_set(struct vmq_ext_port *ep, const struct nlattr *config,
		     struct netlink_ext_ack *extack)
{
	struct nlattr *tb[VMQ_A_METER_MAX + 1];
	struct meter_port *m = ep->priv;
	const struct meter_config *old;
	struct meter_config *new;
	int err;

	/*
	 * Not nla_parse_nested(): whether config has NLA_F_NESTED set is between
	 * the core and the tool.
	 */
	err = nla_parse(tb, VMQ_A_METER_MAX, nla_data(config), nla_len(config),
			meter_policy, extack);
	if (err)
		return err;
	if (!nla_len(config)) {
		NL_SET_ERR_MSG(extack, "meter: nothing to do");
		return -EINVAL;
	}

	new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	if (!new) {
		NL_SET_ERR_MSG(extack, "meter: no memory for the limits");
		return -ENOMEM;
	}
	old = rtnl_dereference(m->config);
	if (old)
		*new = *old;
	err = meter_config_parse(new, tb, extack);
	if (err) {
		kfree(new);
		return err;
	}
	meter_config_publish(m, new);
	return 0;
}

/* ---- dump ---- */

static int meter_put_limit(struct sk_buff *msg, const struct meter_limit *limit,
			   int dir, int kind)
{
	int attr = meter_attr(dir, kind);

	if (!limit->rate)
		return 0;
	if (kind == METER_BYTES ?
	    nla_put_u64_64bit(msg, attr, limit->rate, VMQ_A_METER_PAD) :
	    nla_put_u32(msg, attr, limit->rate))
		return -EMSGSIZE;
	return nla_put_u32(msg, attr + 1, limit->burst);
}

static int meter_put_tokens(struct sk_buff *msg, const struct meter_port *m,
			    const struct meter_limit *limit, int dir, int kind,
			    u64 now)
{
	s64 tokens;

	if (!limit->rate)
		return 0;
	tokens = meter_bucket_tokens(&m->bucket[dir].kind[kind], limit, now);
	return nla_put_u32(msg, (dir == VMQ_TO_GUEST ? VMQ_A_METER_RX_TOKENS :
				 VMQ_A_METER_TX_TOKENS) + kind,
			   max(tokens, 0));
}

static int meter_put_config(struct sk_buff *msg, const struct meter_port *m,
			    const struct meter_config *config)
{
	u64 now = meter_clock();
	int dir, kind;

	for (dir = 0; dir < 2; dir++)
		for (kind = 0; kind < METER_KINDS; kind++)
			if (meter_put_limit(msg, &config->limit[dir][kind], dir,
					    kind) ||
			    meter_put_tokens(msg, m, &config->limit[dir][kind],
					     dir, kind, now))
				return -EMSGSIZE;
	if (!config->shape)
		return 0;
	return nla_put_u32(msg, VMQ_A_METER_SHAPE_LIMIT, config->shape_limit);
}

static int meter_put_counters(struct sk_buff *msg, const struct meter_port *m)
{
	u64 sum[2][METER_COUNTERS];
	int dir, i, attr;

	meter_counters(m, sum);
	for (dir = 0; dir < 2; dir++) {
		attr = dir == VMQ_TO_GUEST ? VMQ_A_METER_RX_PASSED_PACKETS :
					     VMQ_A_METER_TX_PASSED_PACKETS;
		for (i = 0; i <= METER_DROPPED_BYTES; i++)
			if (nla_put_u64_64bit(msg, attr + i, sum[dir][i],
					      VMQ_A_METER_PAD))
				return -EMSGSIZE;
	}
	return nla_put_u64_64bit(msg, VMQ_A_METER_TX_DELAYED_PACKETS,
				 sum[VMQ_FROM_GUEST][METER_DELAYED_PACKETS],
				 VMQ_A_METER_PAD);
}

/**
 * meter_config_dump - see &vmq_ext_ops.config_dump
 * @ep: the port
 * @msg: the message
 * @cursor: 0, and 1 when all was given: it is one item
 *
 * Return: 0 or -EMSGSIZE
 */
int meter_config_dump(struct vmq_ext_port *ep, struct sk_buff *msg,
		      unsigned long *cursor)
{
	struct meter_port *m = ep->priv;
	const struct meter_config *config = rtnl_dereference(m->config);
	unsigned char *start = skb_tail_pointer(msg);
	int err;

	if (*cursor)
		return 0;
	meter_lock(m);
	err = (config && meter_put_config(msg, m, config)) ||
	      meter_put_counters(msg, m);
	meter_unlock(m);
	if (err ||
	    nla_put_u8(msg, VMQ_A_METER_SHAPE, config && config->shape) ||
	    nla_put_u32(msg, VMQ_A_METER_TX_WAITING_PACKETS,
			READ_ONCE(m->shaper.queue.qlen)) ||
	    nla_put_u32(msg, VMQ_A_METER_TX_WAITING_BYTES,
			READ_ONCE(m->shaper.bytes))) {
		nlmsg_trim(msg, start);
		return -EMSGSIZE;
	}
	*cursor = 1;
	return 0;
}
