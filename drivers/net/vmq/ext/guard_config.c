// SPDX-License-Identifier: GPL-2.0
/*
 * The extension guard: configuration of a port over netlink.
 *
 * A request may add, remove and flush bindings in any number, in the order of
 * its attributes; frames never see fewer of them than before or after. All of a
 * request is done or nothing. The attribute set is described in
 * Documentation/netlink/specs/vmq.yaml.
 */
#include <linux/inetdevice.h>
#include <linux/if_vlan.h>
#include <linux/slab.h>
#include <net/ipv6.h>
#include <net/netlink.h>

#include "guard.h"

static const struct netlink_range_validation guard_max_range = {
	.min = 1,
	.max = GUARD_BINDINGS_MAX,
};

static const struct netlink_range_validation guard_rate_range = {
	.max = GUARD_RATE_MAX,
};

#define GUARD_ANSWER_ONLY						\
	{								\
		.type = NLA_REJECT,					\
		.reject_message = "guard: attribute is for answers only", \
	}

static const struct nla_policy
guard_binding_policy[VMQ_A_GUARD_BINDING_MAX + 1] = {
	[VMQ_A_GUARD_BINDING_IP] = {
		.type = NLA_BINARY,
		.len = sizeof(struct in6_addr),
	},
	[VMQ_A_GUARD_BINDING_IP_LEN] = NLA_POLICY_MAX(NLA_U8, 128),
	[VMQ_A_GUARD_BINDING_MAC] = NLA_POLICY_ETH_ADDR,
	[VMQ_A_GUARD_BINDING_VLAN] = NLA_POLICY_MAX(NLA_U16, VLAN_N_VID - 2),
	[VMQ_A_GUARD_BINDING_ORIGIN] = GUARD_ANSWER_ONLY,
	[VMQ_A_GUARD_BINDING_LEASE] = GUARD_ANSWER_ONLY,
	[VMQ_A_GUARD_BINDING_RESTORED] = GUARD_ANSWER_ONLY,
	[VMQ_A_GUARD_BINDING_TENTATIVE] = GUARD_ANSWER_ONLY,
};

static const struct nla_policy guard_policy[VMQ_A_GUARD_MAX + 1] = {
	[VMQ_A_GUARD_ADD] = NLA_POLICY_NESTED(guard_binding_policy),
	[VMQ_A_GUARD_DEL] = NLA_POLICY_NESTED(guard_binding_policy),
	[VMQ_A_GUARD_FLUSH_STATIC] = { .type = NLA_FLAG },
	[VMQ_A_GUARD_FLUSH_LEARNED] = { .type = NLA_FLAG },
	[VMQ_A_GUARD_CHECKS] = NLA_POLICY_MASK(NLA_U32, GUARD_CHECKS_ALL),
	[VMQ_A_GUARD_SNOOP] = NLA_POLICY_MAX(NLA_U8, 1),
	[VMQ_A_GUARD_LINK_LOCAL] =
		NLA_POLICY_MAX(NLA_U8, VMQ_GUARD_LINK_LOCAL_ANY),
	[VMQ_A_GUARD_MAX_BINDINGS] =
		NLA_POLICY_FULL_RANGE(NLA_U32, &guard_max_range),
	[VMQ_A_GUARD_DHCP_RATE] =
		NLA_POLICY_FULL_RANGE(NLA_U32, &guard_rate_range),
	[VMQ_A_GUARD_ARP_RATE] =
		NLA_POLICY_FULL_RANGE(NLA_U32, &guard_rate_range),
	[VMQ_A_GUARD_ND_RATE] =
		NLA_POLICY_FULL_RANGE(NLA_U32, &guard_rate_range),
	[VMQ_A_GUARD_BINDING] = GUARD_ANSWER_ONLY,
	[VMQ_A_GUARD_SUMMARY] = GUARD_ANSWER_ONLY,
};

/*
 * A request being carried out. What it removes is known by key until the lock is
 * held, as learned bindings come and go.
 */
struct guard_edit {
	struct guard_port *guard;
	struct list_head add;		/* new bindings, by guard_binding.list */
	unsigned int n_add;
	struct guard_key *del;		/* of bindings that are in the tables */
	unsigned int n_del;
	bool flush_static;
	bool flush_learned;
};

/* ---- one binding ---- */

static int guard_parse_ip(struct nlattr **tb, struct guard_key *key,
			  struct netlink_ext_ack *extack)
{
	const struct nlattr *attr = tb[VMQ_A_GUARD_BINDING_IP];
	const struct nlattr *len_attr = tb[VMQ_A_GUARD_BINDING_IP_LEN];
	unsigned int bits = nla_len(attr) * 8;
	struct in6_addr addr = {};

	if (bits != 32 && bits != 128) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "guard: an address has 4 or 16 bytes");
		return -EINVAL;
	}
	key->family = bits == 32 ? AF_INET : AF_INET6;
	key->len = len_attr ? nla_get_u8(len_attr) : bits;
	if (key->len > bits) {
		NL_SET_ERR_MSG_ATTR(extack, len_attr,
				    "guard: prefix is longer than the address");
		return -EINVAL;
	}

	memcpy(&addr, nla_data(attr), nla_len(attr));
	ipv6_addr_prefix(&key->addr, &addr, key->len);
	if (!ipv6_addr_equal(&key->addr, &addr)) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "guard: address is longer than its prefix");
		return -EINVAL;
	}
	/* the unspecified one is nobody's; as a prefix it is everything */
	if (!key->len)
		return 0;
	if (bits == 32 ? (ipv4_is_multicast(addr.s6_addr32[0]) ||
			  ipv4_is_lbcast(addr.s6_addr32[0]) ||
			  ipv4_is_zeronet(addr.s6_addr32[0])) :
			 (ipv6_addr_is_multicast(&addr) ||
			  ipv6_addr_any(&addr))) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "guard: nobody sends from such an address");
		return -EINVAL;
	}
	return 0;
}

/* @mac is NULL for that of the port. */
static int guard_parse_binding(const struct nlattr *attr, struct guard_key *key,
			       const u8 **mac, struct netlink_ext_ack *extack)
{
	struct nlattr *tb[VMQ_A_GUARD_BINDING_MAX + 1];
	int err;

	err = nla_parse_nested(tb, VMQ_A_GUARD_BINDING_MAX, attr,
			       guard_binding_policy, extack);
	if (err)
		return err;

	memset(key, 0, sizeof(*key));
	*mac = NULL;
	if (tb[VMQ_A_GUARD_BINDING_MAC]) {
		*mac = nla_data(tb[VMQ_A_GUARD_BINDING_MAC]);
		if (!is_valid_ether_addr(*mac)) {
			NL_SET_ERR_MSG_ATTR(extack, tb[VMQ_A_GUARD_BINDING_MAC],
					    "guard: nobody sends from such a MAC address");
			return -EINVAL;
		}
	}
	if (tb[VMQ_A_GUARD_BINDING_IP]) {
		err = guard_parse_ip(tb, key, extack);
		if (err)
			return err;
	} else if (tb[VMQ_A_GUARD_BINDING_IP_LEN]) {
		NL_SET_ERR_MSG_ATTR(extack, tb[VMQ_A_GUARD_BINDING_IP_LEN],
				    "guard: a prefix length needs an address");
		return -EINVAL;
	} else if (*mac) {
		guard_key_mac(key, *mac, 0);
	} else {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "guard: a binding needs an IP or a MAC address");
		return -EINVAL;
	}
	if (tb[VMQ_A_GUARD_BINDING_VLAN])
		key->vlan = nla_get_u16(tb[VMQ_A_GUARD_BINDING_VLAN]);
	return 0;
}

/* ---- the bindings of a request ---- */

static bool guard_key_equal(const struct guard_key *a, const struct guard_key *b)
{
	return !memcmp(a, b, sizeof(*a));
}

static struct guard_binding *guard_edit_added(const struct guard_edit *edit,
					      const struct guard_key *key)
{
	struct guard_binding *b;

	list_for_each_entry(b, &edit->add, list)
		if (guard_key_equal(&b->key, key))
			return b;
	return NULL;
}

static bool guard_edit_deleted(const struct guard_edit *edit,
			       const struct guard_key *key)
{
	unsigned int i;

	for (i = 0; i < edit->n_del; i++)
		if (guard_key_equal(&edit->del[i], key))
			return true;
	return false;
}

/* What the port has of a key before the request is over: its origin, or -1. */
static int guard_edit_has(const struct guard_edit *edit,
			  const struct guard_key *key)
{
	const struct guard_binding *b;
	int origin = -1;

	if (guard_edit_deleted(edit, key))
		return -1;
	rcu_read_lock();
	b = guard_find(edit->guard, key);
	if (b && !guard_binding_expired(b))
		origin = b->origin;
	rcu_read_unlock();
	if (origin == VMQ_GUARD_ORIGIN_STATIC ? edit->flush_static :
						edit->flush_learned)
		return -1;
	return origin;
}

static int guard_edit_add(struct guard_edit *edit, const struct nlattr *attr,
			  struct netlink_ext_ack *extack)
{
	struct guard_binding *b;
	struct guard_key key;
	const u8 *mac;
	int err;

	err = guard_parse_binding(attr, &key, &mac, extack);
	if (err)
		return err;
	/* each is compared with all before it, while rtnl is held */
	if (edit->n_add == GUARD_BINDINGS_MAX) {
		NL_SET_ERR_MSG_FMT(extack,
				   "guard: more than %u bindings in a request",
				   GUARD_BINDINGS_MAX);
		return -ENOSPC;
	}
	if (guard_edit_added(edit, &key) ||
	    guard_edit_has(edit, &key) == VMQ_GUARD_ORIGIN_STATIC) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "guard: the port has a static binding of this address");
		return -EEXIST;
	}
	b = guard_binding_new(&key, VMQ_GUARD_ORIGIN_STATIC, mac, GFP_KERNEL);
	if (!b) {
		NL_SET_ERR_MSG(extack, "guard: no memory for a binding");
		return -ENOMEM;
	}
	list_add_tail(&b->list, &edit->add);
	edit->n_add++;
	return 0;
}

static int guard_edit_del(struct guard_edit *edit, const struct nlattr *attr,
			  struct netlink_ext_ack *extack)
{
	struct guard_binding *b;
	struct guard_key key;
	const u8 *mac;
	int err;

	err = guard_parse_binding(attr, &key, &mac, extack);
	if (err)
		return err;
	b = guard_edit_added(edit, &key);
	if (b) {
		list_del(&b->list);
		guard_binding_put(b);
		edit->n_add--;
		return 0;
	}
	if (guard_edit_has(edit, &key) < 0) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "guard: the port has no binding of this address");
		return -ENOENT;
	}
	edit->del[edit->n_del++] = key;
	return 0;
}

static int guard_edit_one(struct guard_edit *edit, const struct nlattr *attr,
			  struct netlink_ext_ack *extack)
{
	struct guard_binding *b, *tmp;

	switch (nla_type(attr)) {
	case VMQ_A_GUARD_ADD:
		return guard_edit_add(edit, attr, extack);
	case VMQ_A_GUARD_DEL:
		return guard_edit_del(edit, attr, extack);
	case VMQ_A_GUARD_FLUSH_STATIC:
		list_for_each_entry_safe(b, tmp, &edit->add, list) {
			list_del(&b->list);
			guard_binding_put(b);
		}
		edit->n_add = 0;
		edit->flush_static = true;
		return 0;
	case VMQ_A_GUARD_FLUSH_LEARNED:
		edit->flush_learned = true;
		return 0;
	default:
		return 0;
	}
}

/* Marks what goes, and returns how much of the limit that is. */
static unsigned int guard_edit_mark(const struct guard_edit *edit)
{
	struct guard_port *guard = edit->guard;
	struct guard_binding *b, *new;
	unsigned int i, n = 0;

	list_for_each_entry(b, &guard->bindings, list)
		b->going = b->origin == VMQ_GUARD_ORIGIN_STATIC ?
			   edit->flush_static : edit->flush_learned;
	/* these are there no more if the guest was quicker */
	for (i = 0; i < edit->n_del; i++) {
		b = guard_find(guard, &edit->del[i]);
		if (b)
			b->going = true;
	}
	/* a static one takes the place of one that was learned */
	list_for_each_entry(new, &edit->add, list) {
		b = guard_find(guard, &new->key);
		if (b)
			b->going = true;
	}
	list_for_each_entry(b, &guard->bindings, list)
		n += b->going && b->origin != VMQ_GUARD_ORIGIN_DAD;
	return n;
}

/* All at once. What comes is there before the first that goes is gone. */
static int guard_edit_commit(struct guard_edit *edit, unsigned int max)
{
	struct guard_port *guard = edit->guard;
	struct guard_binding *b, *tmp;
	LIST_HEAD(add);

	spin_lock_bh(&guard->lock);
	if (guard->n - guard_edit_mark(edit) + edit->n_add > max &&
	    edit->n_add) {
		spin_unlock_bh(&guard->lock);
		return -ENOSPC;
	}
	list_splice_init(&edit->add, &add);
	list_for_each_entry_safe(b, tmp, &add, list)
		guard_insert(guard, b);
	list_for_each_entry_safe(b, tmp, &guard->bindings, list) {
		if (!b->going)
			continue;
		guard_remove(guard, b);
		guard_binding_put(b);
	}
	WRITE_ONCE(guard->max, max);
	spin_unlock_bh(&guard->lock);
	return 0;
}

static int guard_edit_run(struct guard_edit *edit, const struct nlattr *config,
			  unsigned int max, struct netlink_ext_ack *extack)
{
	const struct nlattr *attr;
	int err, rem;

	nla_for_each_attr(attr, nla_data(config), nla_len(config), rem) {
		err = guard_edit_one(edit, attr, extack);
		if (err)
			return err;
		cond_resched();
	}
	err = guard_edit_commit(edit, max);
	if (err)
		NL_SET_ERR_MSG_FMT(extack,
				   "guard: more bindings than max-bindings, %u",
				   max);
	return err;
}

static void guard_config_rate(struct guard_port *guard, enum guard_rate what,
			      const struct nlattr *attr)
{
	if (attr)
		guard_rate_set(guard, what, nla_get_u32(attr));
}

/**
 * guard_config_set - see &vmq_ext_ops.config_set
 * @ep: the port
 * @config: attributes VMQ_A_GUARD_*
 * @extack: says why not
 *
 * What can fail comes first; the rest is done when all bindings are in place.
 *
 * Return: 0 or an error
 */
int guard_config_set(struct vmq_ext_port *ep, const struct nlattr *config,
		     struct netlink_ext_ack *extack)
{
	struct nlattr *tb[VMQ_A_GUARD_MAX + 1];
	struct guard_port *guard = ep->priv;
	struct guard_edit edit = { .guard = guard };
	struct guard_binding *b, *tmp;
	unsigned int dels = 0;
	const struct nlattr *attr;
	int err, rem;
	u32 max;

	/*
	 * Not nla_parse_nested(): whether config has NLA_F_NESTED set is between
	 * the core and the tool.
	 */
	err = nla_parse(tb, VMQ_A_GUARD_MAX, nla_data(config), nla_len(config),
			guard_policy, extack);
	if (err)
		return err;
	if (!nla_len(config)) {
		NL_SET_ERR_MSG(extack, "guard: nothing to do");
		return -EINVAL;
	}

	nla_for_each_attr(attr, nla_data(config), nla_len(config), rem)
		dels += nla_type(attr) == VMQ_A_GUARD_DEL;
	INIT_LIST_HEAD(&edit.add);
	edit.del = kvmalloc_array(max(dels, 1U), sizeof(*edit.del), GFP_KERNEL);
	if (!edit.del) {
		NL_SET_ERR_MSG(extack, "guard: no memory for the request");
		return -ENOMEM;
	}
	max = tb[VMQ_A_GUARD_MAX_BINDINGS] ?
	      nla_get_u32(tb[VMQ_A_GUARD_MAX_BINDINGS]) : READ_ONCE(guard->max);
	err = guard_edit_run(&edit, config, max, extack);
	list_for_each_entry_safe(b, tmp, &edit.add, list)
		guard_binding_put(b);
	kvfree(edit.del);
	if (err)
		return err;

	if (tb[VMQ_A_GUARD_SNOOP])
		WRITE_ONCE(guard->snoop, nla_get_u8(tb[VMQ_A_GUARD_SNOOP]));
	if (tb[VMQ_A_GUARD_LINK_LOCAL])
		WRITE_ONCE(guard->link_local,
			   nla_get_u8(tb[VMQ_A_GUARD_LINK_LOCAL]));
	guard_config_rate(guard, GUARD_RATE_DHCP, tb[VMQ_A_GUARD_DHCP_RATE]);
	guard_config_rate(guard, GUARD_RATE_ARP, tb[VMQ_A_GUARD_ARP_RATE]);
	guard_config_rate(guard, GUARD_RATE_ND, tb[VMQ_A_GUARD_ND_RATE]);
	/* last, so that nothing is refused that this request allows */
	if (tb[VMQ_A_GUARD_CHECKS])
		WRITE_ONCE(guard->checks,
			   nla_get_u32(tb[VMQ_A_GUARD_CHECKS]));
	return 0;
}
