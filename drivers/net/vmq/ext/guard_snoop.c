// SPDX-License-Identifier: GPL-2.0
/*
 * The extension guard: what is learned from DHCP and from duplicate address
 * detection.
 *
 * Few frames come here, so this takes the port's lock and allocates. Messages
 * are copied before they are read, as a guest might change them meanwhile.
 */
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <net/ipv6.h>

#include "guard.h"

/* The checks for which a DHCP message of the guest has to be readable. */
#define GUARD_CHECKS_DHCP						\
	(VMQ_GUARD_CHECK_MAC | VMQ_GUARD_CHECK_IPV4 |			\
	 VMQ_GUARD_CHECK_IPV6 | VMQ_GUARD_CHECK_DHCP_SERVER)

static u8 *guard_dhcp_copy(const struct sk_buff *skb, unsigned int off,
			   unsigned int len)
{
	u8 *buf;

	if (!len || len > GUARD_DHCP_MAX)
		return NULL;
	buf = kmalloc(len, GFP_ATOMIC);
	if (buf && skb_copy_bits(skb, off, buf, len)) {
		kfree(buf);
		return NULL;
	}
	return buf;
}

/*
 * The same, of a message of the guest. A frame for segmentation would be several, of
 * which the first alone was looked at; no client sends that.
 */
static u8 *guard_dhcp_copy_out(const struct sk_buff *skb, unsigned int off,
			       unsigned int len)
{
	if (skb_is_gso(skb) && skb_shinfo(skb)->gso_type &
	    (SKB_GSO_UDP_L4 | SKB_GSO_FRAGLIST))
		return NULL;
	return guard_dhcp_copy(skb, off, len);
}

/* ---- transactions ---- */

static bool guard_transaction_free(const struct guard_transaction *t)
{
	return !t->expires || time_after_eq64(get_jiffies_64(), t->expires);
}

static struct guard_transaction *
guard_transaction_find(struct guard_port *guard, u8 family, u32 xid, u16 vlan,
		       const u8 *mac)
{
	struct guard_transaction *t;
	unsigned int i;

	for (i = 0; i < GUARD_TRANSACTIONS; i++) {
		t = &guard->transactions[i];
		if (!guard_transaction_free(t) && t->family == family &&
		    t->xid == xid && t->vlan == vlan &&
		    (!mac || ether_addr_equal_unaligned(t->mac, mac)))
			return t;
	}
	return NULL;
}

/* Takes the place of the same one, else of one that is free or the oldest. */
static void guard_transaction_start(const struct guard_frame *f, u8 family,
				    u32 xid, __be32 requested)
{
	struct guard_port *guard = f->guard;
	struct guard_transaction *t;
	unsigned int i;

	spin_lock(&guard->lock);
	t = guard_transaction_find(guard, family, xid, f->vlan, f->src);
	for (i = 0; !t && i < GUARD_TRANSACTIONS; i++)
		if (guard_transaction_free(&guard->transactions[i]))
			t = &guard->transactions[i];
	if (!t) {
		t = &guard->transactions[0];
		for (i = 1; i < GUARD_TRANSACTIONS; i++)
			if (guard->transactions[i].expires < t->expires)
				t = &guard->transactions[i];
	}
	t->expires = get_jiffies_64() + GUARD_WAIT * HZ;
	t->family = family;
	t->xid = xid;
	t->vlan = f->vlan;
	t->requested = requested;
	memcpy(t->mac, f->src, ETH_ALEN);
	spin_unlock(&guard->lock);
}

/* ---- leases ---- */

/*
 * A lease has to be one that a record could carry; that leaves out what no
 * server should give: multicast, loopback, link-local.
 */
static void guard_lease(struct guard_port *guard,
			struct vmq_guard_rec_binding *rec, u32 seconds)
{
	struct guard_binding *b, *old = NULL;
	int err = -EINVAL;

	rec->lease_ms = cpu_to_le64(seconds == GUARD_LEASE_FOREVER ?
				    VMQ_GUARD_REC_FOREVER :
				    (u64)seconds * MSEC_PER_SEC);
	b = guard_rec_binding_check(rec) ? NULL :
	    guard_binding_from_rec(rec, GFP_ATOMIC);
	if (b) {
		spin_lock(&guard->lock);
		err = guard_learn(guard, b, &old);
		spin_unlock(&guard->lock);
		guard_binding_put(err ? b : old);
	}
	/* it is the administrator's already: nothing to learn, nothing lost */
	if (err != -EEXIST)
		guard_count(guard, err ? GUARD_NOT_LEARNED : GUARD_LEARNED);
}

/* Forgets a lease that the guest gave back, or that the server took. */
static void guard_lease_end(struct guard_port *guard,
			    const struct guard_key *key, const u8 *mac)
{
	struct guard_binding *b;

	spin_lock(&guard->lock);
	b = guard_find(guard, key);
	if (b && (b->origin == VMQ_GUARD_ORIGIN_STATIC ||
		  !ether_addr_equal_unaligned(b->mac, mac)))
		b = NULL;
	if (b)
		guard_remove(guard, b);
	spin_unlock(&guard->lock);
	guard_binding_put(b);
}

/* ---- DHCP ---- */

static __be32 guard_be32(const u8 *addr)
{
	__be32 value;

	memcpy(&value, addr, sizeof(value));
	return value;
}

static void guard_dhcp4_snoop_out(const struct guard_frame *f,
				  const struct guard_dhcp4 *msg)
{
	__be32 requested = guard_be32(msg->requested);
	__be32 ciaddr = guard_be32(msg->ciaddr);
	struct guard_key key;

	/* of another client, for which the guest is a relay or a liar */
	if (msg->op != GUARD_BOOTREQUEST || guard_be32(msg->giaddr) ||
	    !ether_addr_equal_unaligned(msg->chaddr, f->src))
		return;
	switch (msg->type) {
	case GUARD_DHCP4_DISCOVER:
	case GUARD_DHCP4_REQUEST:
		guard_transaction_start(f, AF_INET, msg->xid,
					requested ?: ciaddr);
		break;
	case GUARD_DHCP4_RELEASE:
		guard_key_ip4(&key, ciaddr, 32, f->vlan);
		guard_lease_end(f->guard, &key, msg->chaddr);
		break;
	case GUARD_DHCP4_DECLINE:
		guard_key_ip4(&key, requested, 32, f->vlan);
		guard_lease_end(f->guard, &key, msg->chaddr);
		break;
	}
}

/**
 * guard_dhcp4_out() - Checks a message of the guest to DHCP servers.
 * @f: the frame
 * @off: where the message starts
 * @len: its length in bytes
 *
 * Context: RCU read side, BH off.
 * Return: %GUARD_PASSED, or why not
 */
enum guard_count guard_dhcp4_out(const struct guard_frame *f, unsigned int off,
				 unsigned int len)
{
	bool snoop = READ_ONCE(f->guard->snoop);
	struct guard_dhcp4 msg;
	int err = -EINVAL;
	u8 *buf;

	if (!guard_rate_allows(f->guard, GUARD_RATE_DHCP))
		return GUARD_DROP_RATE;
	if (!snoop && !guard_checks(f, GUARD_CHECKS_DHCP))
		return GUARD_PASSED;
	buf = guard_dhcp_copy_out(f->skb, off, len);
	if (buf)
		err = guard_dhcp4_parse(buf, len, &msg);
	kfree(buf);
	if (err)
		return guard_checks(f, GUARD_CHECKS_DHCP) ?
		       GUARD_DROP_MALFORMED : GUARD_PASSED;

	if (guard_checks(f, VMQ_GUARD_CHECK_DHCP_SERVER) &&
	    (msg.op != GUARD_BOOTREQUEST || guard_be32(msg.giaddr)))
		return GUARD_DROP_DHCP_SERVER;
	/* who asks in many names takes all the addresses there are */
	if (guard_checks(f, VMQ_GUARD_CHECK_MAC) && !guard_be32(msg.giaddr) &&
	    !ether_addr_equal_unaligned(msg.chaddr, f->src))
		return GUARD_DROP_MAC;
	if (snoop)
		guard_dhcp4_snoop_out(f, &msg);
	return GUARD_PASSED;
}

/**
 * guard_dhcp4_in() - Learns from what a DHCP server says to the guest.
 * @f: the frame
 * @off: where the message starts
 * @len: its length in bytes
 *
 * Context: RCU read side, BH off.
 */
void guard_dhcp4_in(const struct guard_frame *f, unsigned int off,
		    unsigned int len)
{
	struct vmq_guard_rec_binding rec = {
		.family = VMQ_GUARD_REC_IPV4,
		.prefix_len = 32,
		.origin = VMQ_GUARD_REC_DHCP4,
		.vlan = cpu_to_le16(f->vlan),
	};
	const struct guard_transaction *t;
	struct guard_dhcp4 msg;
	__be32 requested = 0;
	struct guard_key key;
	int err = -EINVAL;
	u8 *buf;

	buf = guard_dhcp_copy(f->skb, off, len);
	if (buf)
		err = guard_dhcp4_parse(buf, len, &msg);
	kfree(buf);
	if (err) {
		guard_count(f->guard, GUARD_NOT_LEARNED);
		return;
	}
	if (msg.op != GUARD_BOOTREPLY ||
	    (msg.type != GUARD_DHCP4_ACK && msg.type != GUARD_DHCP4_NAK))
		return;

	spin_lock(&f->guard->lock);
	t = guard_transaction_find(f->guard, AF_INET, msg.xid, f->vlan,
				   msg.chaddr);
	if (t)
		requested = t->requested;
	spin_unlock(&f->guard->lock);
	if (!t)
		return;

	if (msg.type == GUARD_DHCP4_NAK) {
		guard_key_ip4(&key, requested, 32, f->vlan);
		guard_lease_end(f->guard, &key, msg.chaddr);
	} else if (guard_be32(msg.yiaddr)) {
		memcpy(rec.addr, msg.yiaddr, sizeof(msg.yiaddr));
		memcpy(rec.mac, msg.chaddr, ETH_ALEN);
		guard_lease(f->guard, &rec, msg.lease);
	}
}

/* ---- DHCPv6 ---- */

static void guard_dhcp6_end(const struct guard_frame *f,
			    const struct guard_dhcp6_addr *a, const u8 *mac)
{
	struct in6_addr addr;
	struct guard_key key;

	memcpy(&addr, a->addr, sizeof(addr));
	guard_key_ip6(&key, &addr, a->len, f->vlan);
	guard_lease_end(f->guard, &key, mac);
}

static void guard_dhcp6_snoop_out(const struct guard_frame *f,
				  const struct guard_dhcp6 *msg)
{
	unsigned int i;

	switch (msg->type) {
	case GUARD_DHCP6_SOLICIT:
	case GUARD_DHCP6_REQUEST:
	case GUARD_DHCP6_RENEW:
	case GUARD_DHCP6_REBIND:
		guard_transaction_start(f, AF_INET6, msg->xid, 0);
		break;
	case GUARD_DHCP6_RELEASE:
	case GUARD_DHCP6_DECLINE:
		for (i = 0; i < msg->n; i++)
			guard_dhcp6_end(f, &msg->addr[i], f->src);
		break;
	}
}

static bool guard_dhcp6_is_client(u8 type)
{
	switch (type) {
	case GUARD_DHCP6_ADVERTISE:
	case GUARD_DHCP6_REPLY:
	case GUARD_DHCP6_RECONFIGURE:
	case GUARD_DHCP6_RELAY_FORW:
	case GUARD_DHCP6_RELAY_REPL:
		return false;
	}
	return true;
}

/**
 * guard_dhcp6_out() - Checks a message of the guest to DHCPv6 servers.
 * @f: the frame
 * @off: where the message starts
 * @len: its length in bytes
 *
 * Context: RCU read side, BH off.
 * Return: %GUARD_PASSED, or why not
 */
enum guard_count guard_dhcp6_out(const struct guard_frame *f, unsigned int off,
				 unsigned int len)
{
	bool snoop = READ_ONCE(f->guard->snoop);
	enum guard_count what = GUARD_PASSED;
	struct guard_dhcp6 *msg;
	int err = -EINVAL;
	u8 *buf;

	if (!guard_rate_allows(f->guard, GUARD_RATE_DHCP))
		return GUARD_DROP_RATE;
	if (!snoop && !guard_checks(f, GUARD_CHECKS_DHCP))
		return GUARD_PASSED;
	buf = guard_dhcp_copy_out(f->skb, off, len);
	msg = kmalloc(sizeof(*msg), GFP_ATOMIC);
	if (buf && msg)
		err = guard_dhcp6_parse(buf, len, msg);
	kfree(buf);
	if (err) {
		if (guard_checks(f, GUARD_CHECKS_DHCP))
			what = GUARD_DROP_MALFORMED;
		goto out;
	}

	if (guard_checks(f, VMQ_GUARD_CHECK_DHCP_SERVER) &&
	    !guard_dhcp6_is_client(msg->type))
		what = GUARD_DROP_DHCP_SERVER;
	else if (snoop)
		guard_dhcp6_snoop_out(f, msg);
out:
	kfree(msg);
	return what;
}

static void guard_dhcp6_reply(const struct guard_frame *f,
			      const struct guard_dhcp6 *msg)
{
	struct vmq_guard_rec_binding rec = {
		.family = VMQ_GUARD_REC_IPV6,
		.origin = VMQ_GUARD_REC_DHCP6,
		.vlan = cpu_to_le16(f->vlan),
	};
	const struct guard_dhcp6_addr *a;
	const struct guard_transaction *t;
	unsigned int i;

	spin_lock(&f->guard->lock);
	t = guard_transaction_find(f->guard, AF_INET6, msg->xid, f->vlan, NULL);
	if (t)
		memcpy(rec.mac, t->mac, ETH_ALEN);
	spin_unlock(&f->guard->lock);
	if (!t)
		return;

	for (i = 0; i < msg->n; i++) {
		a = &msg->addr[i];
		if (!a->valid) {
			guard_dhcp6_end(f, a, rec.mac);
			continue;
		}
		memcpy(rec.addr, a->addr, sizeof(rec.addr));
		rec.prefix_len = a->len;
		guard_lease(f->guard, &rec, a->valid);
	}
	if (msg->more)
		guard_count(f->guard, GUARD_NOT_LEARNED);
}

/**
 * guard_dhcp6_in() - Learns from what a DHCPv6 server says to the guest.
 * @f: the frame
 * @off: where the message starts
 * @len: its length in bytes
 *
 * Context: RCU read side, BH off.
 */
void guard_dhcp6_in(const struct guard_frame *f, unsigned int off,
		    unsigned int len)
{
	struct guard_dhcp6 *msg = kmalloc(sizeof(*msg), GFP_ATOMIC);
	u8 *buf = guard_dhcp_copy(f->skb, off, len);

	if (!msg || !buf || guard_dhcp6_parse(buf, len, msg))
		guard_count(f->guard, GUARD_NOT_LEARNED);
	else if (msg->type == GUARD_DHCP6_REPLY)
		guard_dhcp6_reply(f, msg);
	kfree(buf);
	kfree(msg);
}

/* ---- duplicate address detection ---- */

/**
 * guard_dad_out() - The guest asks whether somebody has a link-local address.
 * @f: the frame
 * @target: the address
 *
 * If nobody has, it becomes the guest's. Until that is known it is not allowed.
 *
 * Context: RCU read side, BH off.
 */
void guard_dad_out(const struct guard_frame *f, const struct in6_addr *target)
{
	struct vmq_guard_rec_binding rec = {
		.family = VMQ_GUARD_REC_IPV6,
		.prefix_len = 128,
		.origin = VMQ_GUARD_REC_DAD,
		.vlan = cpu_to_le16(f->vlan),
		.lease_ms = cpu_to_le64(VMQ_GUARD_REC_FOREVER),
	};
	struct guard_port *guard = f->guard;
	struct guard_binding *b, *old = NULL;
	struct guard_key key;
	int err;

	guard_key_ip6(&key, target, 128, f->vlan);
	if (!READ_ONCE(guard->snoop) || guard_find(guard, &key) ||
	    guard_ip6_ok(f, target))
		return;
	memcpy(rec.addr, target, sizeof(rec.addr));
	memcpy(rec.mac, f->src, ETH_ALEN);
	if (guard_rec_binding_check(&rec))
		return;
	b = guard_binding_from_rec(&rec, GFP_ATOMIC);
	if (!b) {
		guard_count(guard, GUARD_NOT_LEARNED);
		return;
	}
	b->starts = get_jiffies_64() + GUARD_DAD_WAIT;

	spin_lock(&guard->lock);
	/* another CPU may have been quicker */
	err = guard_find(guard, &key) ? -EEXIST : guard_learn(guard, b, &old);
	spin_unlock(&guard->lock);
	guard_binding_put(err ? b : old);
	if (!err)
		guard_count(guard, GUARD_LEARNED);
}

/**
 * guard_dad_in() - Somebody else has an address, or asks for it.
 * @f: the frame
 * @target: the address
 *
 * Ends what the guest's own detection began, but nothing that it has already.
 *
 * Context: RCU read side, BH off.
 */
void guard_dad_in(const struct guard_frame *f, const struct in6_addr *target)
{
	struct guard_port *guard = f->guard;
	struct guard_binding *b;
	struct guard_key key;

	guard_key_ip6(&key, target, 128, f->vlan);
	spin_lock(&guard->lock);
	b = guard_find(guard, &key);
	if (b && (b->origin != VMQ_GUARD_ORIGIN_DAD || !b->starts ||
		  time_after_eq64(get_jiffies_64(), b->starts)))
		b = NULL;
	if (b)
		guard_remove(guard, b);
	spin_unlock(&guard->lock);
	guard_binding_put(b);
}
