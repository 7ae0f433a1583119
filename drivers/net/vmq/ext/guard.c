// SPDX-License-Identifier: GPL-2.0
/*
 * The extension guard: a guest sends from its own addresses alone.
 *
 * A binding says that an address, in a VLAN, belongs to the guest: set by the
 * administrator, or learned from the answers of DHCP servers. Frames from the
 * guest are checked against them, each check by itself; frames to the guest are
 * never dropped, they are only read.
 *
 * - A port that was not configured refuses router advertisements and DHCP
 *   servers of the guest, nothing else. Bindings are learned from the start, so
 *   that the other checks can be set while the guest runs.
 * - Learned is what a server answers to a question of this guest: the number of
 *   the transaction has to be one that the guest just sent. Where no guest may
 *   be a server, the answer came from the uplink or from the host.
 * - Before a guest has an address it sends from the unspecified one: DHCP, ARP
 *   probes, duplicate address detection, and group membership reports pass.
 * - Of IPv6 link-local addresses a guest has the one that is made from its MAC
 *   address, and unless configured otherwise those for which it did duplicate
 *   address detection and nobody answered, first come, first served (RFC 6620).
 *   It may use them 500 ms after it asked, and always do the detection itself.
 * - What is encapsulated twice in VLAN tags can't be looked into, and one with a
 *   service tag is of no VLAN that a binding could name: both are refused where
 *   anything but the MAC address is checked.
 * - Static bindings, and all settings, are configuration, which the other host
 *   has by itself. What was learned moves with the guest.
 */
#include <linux/if_ether.h>
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/udp.h>

#include "guard.h"

/**
 * guard_rate_allows() - Takes a frame into account for a rate limit.
 * @guard: the port
 * @what: which limit
 *
 * Context: BH off.
 * Return: whether the frame may pass
 */
bool guard_rate_allows(struct guard_port *guard, enum guard_rate what)
{
	struct guard_bucket *bucket = &guard->bucket[what];
	unsigned long now = jiffies;
	bool allows;
	u64 most;

	if (likely(!READ_ONCE(bucket->rate)))
		return true;
	spin_lock(&bucket->lock);
	most = (u64)bucket->rate * HZ;
	/* no more than a second matters, and does not overflow */
	bucket->tokens += (u64)bucket->rate *
			  min_t(unsigned long, now - bucket->stamp, HZ);
	if (bucket->tokens > most)
		bucket->tokens = most;
	bucket->stamp = now;
	allows = bucket->tokens >= HZ || !bucket->rate;
	if (allows && bucket->rate)
		bucket->tokens -= HZ;
	spin_unlock(&bucket->lock);
	return allows;
}

/**
 * guard_rate_set() - Sets a rate limit, and lets a burst of it pass at once.
 * @guard: the port
 * @what: which limit
 * @rate: frames in a second, up to %GUARD_RATE_MAX, 0 for no limit
 */
void guard_rate_set(struct guard_port *guard, enum guard_rate what, u32 rate)
{
	struct guard_bucket *bucket = &guard->bucket[what];

	spin_lock_bh(&bucket->lock);
	WRITE_ONCE(bucket->rate, rate);
	bucket->tokens = (u64)rate * HZ;
	bucket->stamp = jiffies;
	spin_unlock_bh(&bucket->lock);
}

static enum guard_count guard_out(const struct guard_frame *f)
{
	if (guard_checks(f, VMQ_GUARD_CHECK_MAC) &&
	    !ether_addr_equal(f->src, f->guard->dev->dev_addr) &&
	    !guard_mac_ok(f->guard, f->src, f->vlan))
		return GUARD_DROP_MAC;

	/* VLAN ids of a service tag are others than those of bindings. */
	if (skb_vlan_tag_present(f->skb) &&
	    f->skb->vlan_proto != htons(ETH_P_8021Q) &&
	    guard_checks(f, GUARD_CHECKS_DEEP))
		return GUARD_DROP_MALFORMED;

	switch (f->skb->protocol) {
	case htons(ETH_P_IP):
		return guard_ipv4(f);
	case htons(ETH_P_IPV6):
		return guard_ipv6(f);
	case htons(ETH_P_ARP):
		return guard_arp(f);
	case htons(ETH_P_RARP):
		return guard_rarp(f);
	case htons(ETH_P_8021Q):
	case htons(ETH_P_8021AD):
		if (guard_checks(f, GUARD_CHECKS_DEEP))
			return GUARD_DROP_MALFORMED;
		return GUARD_PASSED;
	default:
		return GUARD_PASSED;
	}
}

/* What the checks need of a frame. */
static __always_inline struct guard_frame guard_frame_of(struct guard_port *guard,
							 struct sk_buff *skb)
{
	return (struct guard_frame) {
		.guard = guard,
		.skb = skb,
		.src = eth_hdr(skb)->h_source,
		.checks = READ_ONCE(guard->checks),
		.vlan = skb_vlan_tag_present(skb) ? skb_vlan_tag_get_id(skb) : 0,
	};
}

static noinline enum vmq_verdict guard_from_guest(struct guard_port *guard,
						  struct sk_buff *skb)
{
	const struct guard_frame f = guard_frame_of(guard, skb);
	enum guard_count what = guard_out(&f);

	guard_count(guard, what);
	return what == GUARD_PASSED ? VMQ_PASS : VMQ_DROP;
}

/*
 * May a frame to the guest be of interest? What is not an answer of DHCP over IPv4,
 * nor of IPv6, is not worth being looked at any closer.
 */
static __always_inline bool guard_looks_in(const struct guard_port *guard,
					   const struct sk_buff *skb)
{
	const struct iphdr *ip = (const struct iphdr *)skb->data;
	const struct udphdr *udp = (const struct udphdr *)(ip + 1);

	if (!READ_ONCE(guard->snoop))
		return false;
	if (skb->protocol != htons(ETH_P_IP))
		return skb->protocol == htons(ETH_P_IPV6);
	/* odd ones: who reads them closely knows what to do */
	if (unlikely(skb_headlen(skb) < sizeof(*ip) + sizeof(*udp)) ||
	    unlikely(ip->ihl != 5))
		return true;
	return ip->protocol == IPPROTO_UDP &&
	       unlikely(udp->dest == htons(GUARD_DHCP4_CLIENT_PORT));
}

static void guard_in(struct guard_port *guard, struct sk_buff *skb)
{
	const struct guard_frame f = guard_frame_of(guard, skb);

	if (skb->protocol == htons(ETH_P_IP))
		guard_ipv4_in(&f);
	else
		guard_ipv6_in(&f);
}

static enum vmq_verdict guard_frame(struct vmq_ext_port *ep,
				    struct sk_buff *skb, enum vmq_dir dir)
{
	struct guard_port *guard = ep->priv;

	if (dir == VMQ_FROM_GUEST)
		return guard_from_guest(guard, skb);
	if (guard_looks_in(guard, skb))
		guard_in(guard, skb);
	return VMQ_PASS;
}

static int guard_attach(struct vmq_ext_port *ep, struct netlink_ext_ack *extack)
{
	struct guard_port *guard;
	unsigned int i;

	guard = kzalloc(sizeof(*guard), GFP_KERNEL_ACCOUNT);
	if (!guard)
		goto no_memory;
	guard->stats = __netdev_alloc_pcpu_stats(struct guard_stats,
						 GFP_KERNEL_ACCOUNT);
	if (!guard->stats)
		goto free_guard;

	guard->dev = ep->dev;
	guard->checks = GUARD_CHECKS_DEFAULT;
	guard->link_local = VMQ_GUARD_LINK_LOCAL_DAD;
	guard->snoop = true;
	guard->max = GUARD_BINDINGS_DEFAULT;
	guard->next_id = 1;
	spin_lock_init(&guard->lock);
	INIT_LIST_HEAD(&guard->bindings);
	INIT_DELAYED_WORK(&guard->work, guard_expire_work);
	for (i = 0; i < GUARD_RATES; i++)
		spin_lock_init(&guard->bucket[i].lock);

	ep->priv = guard;
	return 0;

free_guard:
	kfree(guard);
no_memory:
	NL_SET_ERR_MSG(extack, "guard: no memory for the port");
	return -ENOMEM;
}

static void guard_detach(struct vmq_ext_port *ep)
{
	struct guard_port *guard = ep->priv;

	ep->priv = NULL;
	guard_flush_all(guard);
	cancel_delayed_work_sync(&guard->work);
	free_percpu(guard->stats);
	kfree(guard);
}

/* Not static for the tests that are linked into the module. */
const struct vmq_ext_ops guard_ops = {
	.owner = THIS_MODULE,
	.uuid = { .b = VMQ_GUARD_UUID_BYTES },
	.name = "guard",
	.class = VMQ_EXT_CLASS_FILTER,
	.data_version = VMQ_GUARD_REC_VERSION,
	.attach = guard_attach,
	.detach = guard_detach,
	.frame = guard_frame,
	.config_set = guard_config_set,
	.config_dump = guard_config_dump,
	.save_begin = guard_save_begin,
	.save_next = guard_save_next,
	.restore_begin = guard_restore_begin,
	.validate = guard_validate,
	.apply = guard_apply,
	.rollback = guard_rollback,
	.restore_complete = guard_restore_complete,
};

static int __init guard_init(void)
{
	return vmq_ext_register(&guard_ops);
}
module_init(guard_init);

static void __exit guard_exit(void)
{
	vmq_ext_unregister(&guard_ops);
	/* bindings that are freed after a grace period need no code of ours */
}
module_exit(guard_exit);

MODULE_DESCRIPTION("Source guard, DHCP snooping, ARP and ND inspection for the ports of vmq");
MODULE_LICENSE("GPL");
