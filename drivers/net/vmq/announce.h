/* SPDX-License-Identifier: GPL-2.0 */
/*
 * announce.c: where a guest is, and which addresses it has.
 */
#ifndef _VMQ_ANNOUNCE_H
#define _VMQ_ANNOUNCE_H

#include <linux/etherdevice.h>
#include <linux/in6.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

struct sk_buff;
struct vmq_port;

#define VMQ_KNOWN_MAX		16
#define VMQ_ANNOUNCE_COUNT	3
#define VMQ_ANNOUNCE_INTERVAL	200	/* ms */
#define VMQ_ANNOUNCE_SAME	(~0U)

/* An address that a guest is known to have. */
struct vmq_known {
	u16 vid;
	u16 family;		/* AF_INET: the first word of addr */
	struct in6_addr addr;
};

struct vmq_announce {
	spinlock_t lock;	/* protects all but sent; BH off */
	unsigned int n_known;
	struct vmq_known known[VMQ_KNOWN_MAX];	/* the newest is the last */
	u32 count;		/* rounds */
	u32 interval;		/* ms */
	u32 left;		/* rounds */
	u64 sent;		/* frames */
	struct delayed_work work;
};

void __vmq_learn(struct vmq_port *port, const struct sk_buff *skb);
unsigned int vmq_announce_known(struct vmq_port *port, struct vmq_known *out);
void vmq_announce_restore(struct vmq_port *port, const struct vmq_known *known,
			  unsigned int n);
void vmq_announce_start(struct vmq_port *port);
void vmq_announce_set(struct vmq_port *port, u32 count, u32 interval);
void vmq_announce_init(struct vmq_port *port);
void vmq_announce_destroy(struct vmq_port *port);

/*
 * Addresses of the guest are in ARP frames, and in neighbour discovery to
 * multicast addresses, which is enough. Context: RCU read side, BH off.
 */
static inline void vmq_learn(struct vmq_port *port, const struct sk_buff *skb)
{
	if (unlikely(skb->protocol == htons(ETH_P_ARP)) ||
	    unlikely(skb->protocol == htons(ETH_P_IPV6) &&
		     eth_hdr(skb)->h_dest[0] == 0x33))
		__vmq_learn(port, skb);
}

#endif /* _VMQ_ANNOUNCE_H */
