// SPDX-License-Identifier: GPL-2.0
/*
 * What multicast frames say of groups: IGMP and MLD, as the kernel's own helpers check
 * them, and who is a multicast router. What is broken is for all, and teaches nothing.
 */
#include <linux/icmpv6.h>
#include <linux/igmp.h>
#include <net/addrconf.h>
#include <net/ip.h>
#include <net/mld.h>

#include "gate_port.h"
#include "mcast.h"
#include "policy.h"

/* What a frame is. */
enum vmq_mcast_kind {
	VMQ_MCAST_ALL,			/* for everybody */
	VMQ_MCAST_DATA,			/* for who is in its group */
	VMQ_MCAST_REPORT,		/* IGMP and MLD, for routers */
	VMQ_MCAST_ROUTER,		/* for everybody; a router sent it */
};

/* One that is looked at. */
struct vmq_mcast_look {
	struct vmq_adapter *a;
	struct sk_buff *skb;
	struct vmq_port *from;		/* NULL: the uplink, the host */
	struct vmq_mcast_key key;	/* the group that it is about */
};

/*
 * The helpers leave what they found out of the checksum as a receiver does, which this
 * frame has not reached: it may be sent yet.
 */
static int vmq_mcast_check(struct sk_buff *skb, int (*check)(struct sk_buff *))
{
	u8 summed = skb->ip_summed, level = skb->csum_level;
	int err = check(skb);

	skb->ip_summed = summed;
	skb->csum_level = level;
	return err;
}

/* ---- reports ---- */

/* The port whose guest says what it has joined; others are not in the table. */
static struct vmq_mcast_port *vmq_mcast_reporter(const struct vmq_mcast_look *l)
{
	struct vmq_port *from = l->from;

	if (!from || !READ_ONCE(from->mcast.slot) ||
	    !test_bit(l->key.vid, from->vlans))
		return NULL;
	return &from->mcast;
}

/* Groups on this link alone go to all, so nobody needs to join them. */
static bool vmq_mcast_is_wide(const struct vmq_mcast_key *key)
{
	if (!key->v6)
		return ipv4_is_multicast(key->addr.s6_addr32[3]) &&
		       !ipv4_is_local_multicast(key->addr.s6_addr32[3]);
	return ipv6_addr_is_multicast(&key->addr) &&
	       IPV6_ADDR_MC_SCOPE(&key->addr) > IPV6_ADDR_SCOPE_LINKLOCAL;
}

/*
 * Context: m->lock held. Groups are learned where there is a querier, which asks again:
 * without one all is for all.
 */
static void vmq_mcast_learn(const struct vmq_mcast_look *l,
			    struct vmq_mcast_port *p)
{
	struct vmq_mcast *m = &l->a->mcast;

	if (vmq_mcast_is_wide(&l->key) &&
	    xa_load(&m->vlans, vmq_mcast_vlan_id(l->key.vid, l->key.v6)))
		vmq_mcast_join(m, p, &l->key, jiffies);
}

static void vmq_mcast_report(const struct vmq_mcast_look *l, bool leave)
{
	struct vmq_mcast_port *p = vmq_mcast_reporter(l);

	if (!p)
		return;
	spin_lock(&l->a->mcast.lock);
	/* who leaves is asked by the querier whether it is the last one */
	if (leave) {
		p->leaves++;
	} else {
		p->reports++;
		vmq_mcast_learn(l, p);
	}
	spin_unlock(&l->a->mcast.lock);
}

/* Types of records are the same in both protocols; which sources it is does not matter. */
static bool vmq_mcast_record_joins(u8 type, u16 sources)
{
	switch (type) {
	case IGMPV3_MODE_IS_EXCLUDE:
	case IGMPV3_CHANGE_TO_EXCLUDE:
		return true;
	case IGMPV3_MODE_IS_INCLUDE:
	case IGMPV3_CHANGE_TO_INCLUDE:
	case IGMPV3_ALLOW_NEW_SOURCES:
		return sources;
	default:
		return false;
	}
}

static bool vmq_mcast_record_leaves(u8 type, u16 sources)
{
	return type == IGMPV3_CHANGE_TO_INCLUDE && !sources;
}

/*
 * One record of an IGMPv3 or MLDv2 report: -> its length, 0 where it is not whole.
 * Context: m->lock held.
 */
static unsigned int vmq_mcast_record(struct vmq_mcast_look *l,
				     struct vmq_mcast_port *p,
				     unsigned int at, unsigned int end,
				     bool *joins, bool *leaves)
{
	union {
		struct igmpv3_grec v4;
		struct mld2_grec v6;
	} _rec, *rec;
	unsigned int len = l->key.v6 ? sizeof(_rec.v6) : sizeof(_rec.v4);
	unsigned int source = l->key.v6 ? sizeof(struct in6_addr) :
					  sizeof(__be32);
	u16 sources;

	if (at + len > end)
		return 0;
	rec = skb_header_pointer(l->skb, at, len, &_rec);
	if (!rec)
		return 0;
	/* both begin with type, auxiliary words and the number of sources */
	sources = ntohs(rec->v4.grec_nsrcs);
	len += sources * source + rec->v4.grec_auxwords * 4;
	if (at + len > end)
		return 0;
	if (l->key.v6)
		l->key.addr = rec->v6.grec_mca;
	else
		ipv6_addr_set_v4mapped(rec->v4.grec_mca, &l->key.addr);
	if (vmq_mcast_record_joins(rec->v4.grec_type, sources)) {
		*joins = true;
		vmq_mcast_learn(l, p);
	} else if (vmq_mcast_record_leaves(rec->v4.grec_type, sources)) {
		*leaves = true;
	}
	return len;
}

/* @at: of the first of @n records; @end: of the packet. */
static void vmq_mcast_records(struct vmq_mcast_look *l, unsigned int at,
			      unsigned int end, unsigned int n)
{
	struct vmq_mcast_port *p = vmq_mcast_reporter(l);
	bool joins = false, leaves = false;
	unsigned int i, len;

	if (!p)
		return;
	spin_lock(&l->a->mcast.lock);
	for (i = 0; i < n && i < VMQ_MCAST_PORT_MAX; i++) {
		len = vmq_mcast_record(l, p, at, end, &joins, &leaves);
		if (!len)
			break;
		at += len;
	}
	/* more than it may have: the rest is not even looked at */
	if (i == VMQ_MCAST_PORT_MAX && i < n)
		vmq_mcast_overflow(&l->a->mcast, p, jiffies);
	p->reports += joins || !leaves;
	p->leaves += leaves;
	spin_unlock(&l->a->mcast.lock);
}

/* ---- queries ---- */

/* Frames that the guest of a port sent so far. */
static u64 vmq_mcast_sent(struct vmq_port *port)
{
	struct vmq_stats sum = {};

	vmq_port_local(port, 0, port->dev->num_rx_queues, &sum);
	return sum.tx_packets;
}

/*
 * Does the guest of a port get a question that is asked now, and is it there to answer?
 * Context: RCU read side, m->lock held.
 */
static bool vmq_mcast_gets(struct vmq_port *port, u16 vid)
{
	if (!port->mcast.slot || !test_bit(vid, port->vlans) ||
	    !netif_running(port->dev) ||
	    READ_ONCE(port->gate.mode) != VMQ_PORT_GATE_OPEN ||
	    READ_ONCE(port->gate.shut) || !READ_ONCE(port->tap.numvtaps) ||
	    !vmq_tap_has_room(port))
		return false;
	/* QEMU has the tap open while the guest is on another host still */
	if (!port->mcast.spoken)
		port->mcast.spoken = vmq_mcast_sent(port) > port->mcast.silent;
	return true;
}

/*
 * The wire or the host asks. A guest that does is a router, but could ask so that the
 * others do not answer, for them to lose their groups: from a source address that they
 * refuse, say.
 */
static void vmq_mcast_query(const struct vmq_mcast_look *l,
			    struct vmq_mcast_query *q)
{
	struct vmq_mcast *m = &l->a->mcast;
	unsigned long now = jiffies;
	struct vmq_mcast_set *asked;
	struct vmq_port *port;

	q->key = l->key;
	spin_lock(&m->lock);
	asked = vmq_mcast_set_new(m);
	list_for_each_entry_rcu(port, &l->a->ports, node) {
		if (!vmq_mcast_gets(port, l->key.vid))
			continue;
		port->mcast.queries++;
		if (asked && vmq_mcast_can_ask(&port->mcast, now))
			vmq_mcast_set_put(asked, port->mcast.slot);
	}
	vmq_mcast_asked(m, q, asked, now);
	spin_unlock(&m->lock);
}

/* Times in 8 bits (RFC 3376, 4.1.1 and 4.1.7). */
static unsigned long vmq_mcast_time8(u8 code)
{
	return code < 0x80 ? code :
			     ((code & 0xf) | 0x10UL) << (((code >> 4) & 7) + 3);
}

/* Times in 16 bits (RFC 3810, 5.1.3). */
static unsigned long vmq_mcast_time16(u16 code)
{
	return code < 0x8000 ? code : ((code & 0xfff) | 0x1000UL) <<
				      (((code >> 12) & 7) + 3);
}

/*
 * How long a querier counts that says how often it asks: never longer than one that
 * does not say. qrv: its robustness variable.
 */
static unsigned long vmq_mcast_interval(u8 qrv, u8 qqic, unsigned long delay)
{
	unsigned long seconds = vmq_mcast_time8(qqic) * (qrv ?: 2);

	return qqic ? min(seconds * HZ + delay / 2, VMQ_MCAST_QUERIER * 1UL) :
		      VMQ_MCAST_QUERIER;
}

/* ---- IGMP ---- */

/* Without this, and a TTL of 1, hosts may ignore a query (RFC 3376, 9.1). */
static bool vmq_mcast_igmp_alert(const struct sk_buff *skb)
{
	static const u8 option[] = { IPOPT_RA, 4, 0, 0 };
	const struct iphdr *iph = ip_hdr(skb);

	return ip_hdrlen(skb) == sizeof(*iph) + sizeof(option) &&
	       !memcmp(iph + 1, option, sizeof(option));
}

/* Is it one that guests answer? What nobody does must not narrow anybody. */
static bool vmq_mcast_igmp_proper(const struct sk_buff *skb, bool v1)
{
	const struct iphdr *iph = ip_hdr(skb);
	u8 mac[ETH_ALEN];

	ip_eth_mc_map(iph->daddr, mac);
	return ether_addr_equal(mac, eth_hdr(skb)->h_dest) &&
	       iph->ttl == 1 && !ip_is_fragment(iph) &&
	       (v1 || vmq_mcast_igmp_alert(skb));
}

static void vmq_mcast_igmp_query(struct vmq_mcast_look *l)
{
	unsigned int len = ip_transport_len(l->skb);
	const struct igmphdr *ih = igmp_hdr(l->skb);
	struct vmq_mcast_query q = { .interval = VMQ_MCAST_QUERIER };
	bool v1 = len == sizeof(*ih) && !ih->code;
	const struct igmpv3_query *ih3;

	if (!vmq_mcast_igmp_proper(l->skb, v1))
		return;
	if (ih->group && !v1)
		ipv6_addr_set_v4mapped(ih->group, &l->key.addr);
	if (v1) {
		q.delay = 10 * HZ;
	} else if (len == sizeof(*ih)) {
		q.delay = ih->code * HZ / IGMP_TIMER_SCALE;
	} else {
		ih3 = igmpv3_query_hdr(l->skb);
		/* about sources, or not to be acted on */
		if (ih3->nsrcs || (ih->group && ih3->suppress))
			return;
		q.delay = vmq_mcast_time8(ih3->code) * HZ / IGMP_TIMER_SCALE;
		q.interval = vmq_mcast_interval(ih3->qrv, ih3->qqic, q.delay);
	}
	vmq_mcast_query(l, &q);
}

/* Context: RCU read side, BH off. The frame's header may move. */
static enum vmq_mcast_kind vmq_mcast_igmp(struct vmq_mcast_look *l)
{
	struct sk_buff *skb = l->skb;
	const struct igmphdr *ih;
	unsigned int at;
	int err;

	err = vmq_mcast_check(skb, ip_mc_check_igmp);
	if (err == -ENOMSG && igmp_hdr(skb)->type == IGMP_MRDISC_ADV)
		return VMQ_MCAST_ROUTER;
	if (err)
		return VMQ_MCAST_ALL;
	ih = igmp_hdr(skb);
	at = skb_transport_offset(skb);
	switch (ih->type) {
	case IGMP_HOST_MEMBERSHIP_QUERY:
		if (l->from)
			return VMQ_MCAST_ROUTER;
		vmq_mcast_igmp_query(l);
		return VMQ_MCAST_ALL;
	case IGMPV3_HOST_MEMBERSHIP_REPORT:
		vmq_mcast_records(l, at + sizeof(struct igmpv3_report),
				  at + ip_transport_len(skb),
				  ntohs(igmpv3_report_hdr(skb)->ngrec));
		break;
	default:
		ipv6_addr_set_v4mapped(ih->group, &l->key.addr);
		vmq_mcast_report(l, ih->type == IGMP_HOST_LEAVE_MESSAGE);
	}
	return VMQ_MCAST_REPORT;
}

/* ---- MLD ---- */

/* The hop-by-hop header that queries have: nothing else in it but padding. */
static bool vmq_mcast_mld_alert(const struct sk_buff *skb)
{
	static const u8 alert[3][8] = {
		{ IPPROTO_ICMPV6, 0, IPV6_TLV_ROUTERALERT, 2, 0, 0,
		  IPV6_TLV_PADN, 0 },
		{ IPPROTO_ICMPV6, 0, IPV6_TLV_PADN, 0,
		  IPV6_TLV_ROUTERALERT, 2, 0, 0 },
		{ IPPROTO_ICMPV6, 0, IPV6_TLV_ROUTERALERT, 2, 0, 0,
		  IPV6_TLV_PAD1, IPV6_TLV_PAD1 },
	};
	const u8 *hdr;
	int i;

	if (skb_transport_offset(skb) - skb_network_offset(skb) !=
	    sizeof(struct ipv6hdr) + sizeof(alert[0]))
		return false;
	/* the helper had all before the ICMP header pulled */
	hdr = (const u8 *)(ipv6_hdr(skb) + 1);
	for (i = 0; i < ARRAY_SIZE(alert); i++)
		if (!memcmp(hdr, alert[i], sizeof(alert[i])))
			return true;
	return false;
}

/* As with IGMP; hosts ignore one that comes from beyond the link (RFC 3810, 6.2). */
static bool vmq_mcast_mld_proper(const struct sk_buff *skb)
{
	const struct ipv6hdr *ip6h = ipv6_hdr(skb);
	u8 mac[ETH_ALEN];

	ipv6_eth_mc_map(&ip6h->daddr, mac);
	return ether_addr_equal(mac, eth_hdr(skb)->h_dest) &&
	       ip6h->hop_limit == 1 && vmq_mcast_mld_alert(skb);
}

static void vmq_mcast_mld_query(struct vmq_mcast_look *l)
{
	unsigned int at = skb_transport_offset(l->skb);
	struct vmq_mcast_query q = { .interval = VMQ_MCAST_QUERIER };
	const struct mld2_query *mld2q;
	const struct mld_msg *mld;

	if (!vmq_mcast_mld_proper(l->skb))
		return;
	mld = (const struct mld_msg *)icmp6_hdr(l->skb);
	l->key.addr = mld->mld_mca;
	q.delay = msecs_to_jiffies(ntohs(mld->mld_maxdelay));
	if (ipv6_transport_len(l->skb) != sizeof(*mld)) {
		if (!pskb_may_pull(l->skb, at + sizeof(*mld2q)))
			return;
		mld2q = (const struct mld2_query *)icmp6_hdr(l->skb);
		if (mld2q->mld2q_nsrcs || (!ipv6_addr_any(&l->key.addr) &&
					   mld2q->mld2q_suppress))
			return;
		q.delay = vmq_mcast_time16(ntohs(mld2q->mld2q_mrc));
		q.delay = msecs_to_jiffies(q.delay);
		q.interval = vmq_mcast_interval(mld2q->mld2q_qrv,
						mld2q->mld2q_qqic, q.delay);
	}
	vmq_mcast_query(l, &q);
}

/* For frames with a hop-by-hop header, as all of MLD has it. Context: as above. */
static enum vmq_mcast_kind vmq_mcast_mld(struct vmq_mcast_look *l)
{
	struct sk_buff *skb = l->skb;
	const struct mld_msg *mld;
	unsigned int at;
	int err;

	err = vmq_mcast_check(skb, ipv6_mc_check_mld);
	if (err == -ENODATA &&
	    icmp6_hdr(skb)->icmp6_type == ICMPV6_MRDISC_ADV)
		return VMQ_MCAST_ROUTER;
	/* something else with such a header */
	if (err == -ENOMSG || err == -ENODATA)
		return VMQ_MCAST_DATA;
	if (err)
		return VMQ_MCAST_ALL;
	mld = (const struct mld_msg *)icmp6_hdr(skb);
	at = skb_transport_offset(skb);
	switch (mld->mld_type) {
	case ICMPV6_MGM_QUERY:
		if (l->from)
			return VMQ_MCAST_ROUTER;
		vmq_mcast_mld_query(l);
		return VMQ_MCAST_ALL;
	case ICMPV6_MLD2_REPORT:
		vmq_mcast_records(l, at + sizeof(struct mld2_report),
				  at + ipv6_transport_len(skb),
				  ntohs(((const struct mld2_report *)
					 mld)->mld2r_ngrec));
		break;
	default:
		l->key.addr = mld->mld_mca;
		vmq_mcast_report(l, mld->mld_type == ICMPV6_MGM_REDUCTION);
	}
	return VMQ_MCAST_REPORT;
}

/* ---- frames ---- */

static enum vmq_mcast_kind vmq_mcast_look4(struct vmq_mcast_look *l)
{
	const struct iphdr *iph;
	struct iphdr _iph;

	iph = skb_header_pointer(l->skb, skb_network_offset(l->skb),
				 sizeof(_iph), &_iph);
	if (!iph || iph->version != 4)
		return VMQ_MCAST_ALL;
	if (iph->protocol == IPPROTO_IGMP)
		return vmq_mcast_igmp(l);
	ipv6_addr_set_v4mapped(iph->daddr, &l->key.addr);
	if (vmq_mcast_is_wide(&l->key))
		return VMQ_MCAST_DATA;
	return iph->protocol == IPPROTO_PIM ? VMQ_MCAST_ROUTER : VMQ_MCAST_ALL;
}

static enum vmq_mcast_kind vmq_mcast_look6(struct vmq_mcast_look *l)
{
	enum vmq_mcast_kind kind = VMQ_MCAST_DATA;
	const struct ipv6hdr *ip6h;
	struct ipv6hdr _ip6h;

	l->key.v6 = 1;
	ip6h = skb_header_pointer(l->skb, skb_network_offset(l->skb),
				  sizeof(_ip6h), &_ip6h);
	if (!ip6h || ip6h->version != 6)
		return VMQ_MCAST_ALL;
	l->key.addr = ip6h->daddr;
	if (ip6h->nexthdr == IPPROTO_HOPOPTS)
		kind = vmq_mcast_mld(l);
	else if (ip6h->nexthdr == IPPROTO_PIM)
		kind = VMQ_MCAST_ROUTER;
	if (kind == VMQ_MCAST_DATA && !vmq_mcast_is_wide(&l->key))
		return VMQ_MCAST_ALL;
	return kind;
}

/* A guest that routes multicast: it asks, or says so otherwise. */
static void vmq_mcast_found_router(const struct vmq_mcast_look *l)
{
	struct vmq_mcast_port *p = vmq_mcast_reporter(l);

	if (!p)
		return;
	spin_lock(&l->a->mcast.lock);
	vmq_mcast_router(&l->a->mcast, p, l->key.vid, l->key.v6, jiffies);
	spin_unlock(&l->a->mcast.lock);
}

/**
 * vmq_mcast_frame() - who has a multicast frame; learns what it says of groups
 * @a: the adapter, with snooping on
 * @skb: the frame, data at the network header; its header may move in memory
 * @from: port that sent it, or NULL for the uplink and the host
 * @pick: for vmq_mcast_wants(), all 0 so far; valid to the end of the read side
 *
 * Context: RCU read side, BH off.
 */
void vmq_mcast_frame(struct vmq_adapter *a, struct sk_buff *skb,
		     struct vmq_port *from, struct vmq_mcast_pick *pick)
{
	struct vmq_mcast_look l = {
		.a = a, .skb = skb, .from = from, .key.vid = vmq_skb_vid(skb),
	};
	enum vmq_mcast_kind kind = VMQ_MCAST_ALL;

	if (skb->protocol == htons(ETH_P_IP))
		kind = vmq_mcast_look4(&l);
	else if (skb->protocol == htons(ETH_P_IPV6))
		kind = vmq_mcast_look6(&l);
	if (kind == VMQ_MCAST_DATA || kind == VMQ_MCAST_REPORT)
		vmq_mcast_choose(&a->mcast, &l.key, kind == VMQ_MCAST_REPORT,
				 pick);
	else if (kind == VMQ_MCAST_ROUTER)
		vmq_mcast_found_router(&l);
}

/**
 * __vmq_mcast_wants() - does a port get a frame that is not for all?
 * @pick: of vmq_mcast_frame()
 * @port: the port, which a guest has
 *
 * What the administrator set for the netdev wins: all-multicast mode.
 *
 * Context: RCU read side, BH off.
 * Return: true if it does.
 */
bool __vmq_mcast_wants(const struct vmq_mcast_pick *pick,
		       struct vmq_port *port)
{
	bool all = port->dev->flags & (IFF_ALLMULTI | IFF_PROMISC);
	struct vmq_mcast_pcpu *s;

	if (vmq_mcast_picks(pick, &port->mcast))
		return true;
	s = this_cpu_ptr(port->mcast.stats);
	u64_stats_update_begin(&s->syncp);
	u64_stats_inc(all ? &s->allmulti : &s->withheld);
	u64_stats_update_end(&s->syncp);
	return all;
}

/* ---- settings ---- */

/**
 * vmq_mcast_set_on() - switches snooping on or off
 * @a: the adapter
 * @on: whether guests have only the groups that they are in
 *
 * Context: Process context, rtnl held.
 */
void vmq_mcast_set_on(struct vmq_adapter *a, bool on)
{
	if (a->mcast.on == on)
		return;
	WRITE_ONCE(a->mcast.on, on);
	if (on)
		return;
	/* no frame that is on its way learns anything after the flush */
	synchronize_net();
	spin_lock_bh(&a->mcast.lock);
	vmq_mcast_flush(&a->mcast);
	spin_unlock_bh(&a->mcast.lock);
}

/**
 * vmq_mcast_arrive() - a guest came to a port, or may have been elsewhere
 * @port: the port
 *
 * It has all multicast frames until it was asked, and had the time to answer: nothing
 * of groups need come with its state.
 *
 * Context: Any but hard interrupts.
 */
void vmq_mcast_arrive(struct vmq_port *port)
{
	struct vmq_mcast *m = &port->adapter->mcast;

	if (!READ_ONCE(port->mcast.slot))
		return;
	spin_lock_bh(&m->lock);
	port->mcast.silent = vmq_mcast_sent(port);
	vmq_mcast_port_reset(m, &port->mcast);
	spin_unlock_bh(&m->lock);
}
