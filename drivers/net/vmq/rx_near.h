/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where there are many ports, what a frame reads of its own is in no near cache. All of
 * it is asked for at once, as soon as the filter is known. And the frame waits until two
 * others came behind it, which takes the time that memory takes: by then it is there.
 *
 * What one CPU receives keeps its order. When the interrupt of a NIC moves to another
 * CPU, two frames may be in hand on the old one, a moment longer than they were in the
 * NIC's poll.
 */
#ifndef _VMQ_RX_NEAR_H
#define _VMQ_RX_NEAR_H

#include <linux/jump_label.h>
#include <linux/prefetch.h>

#include "port_tap.h"
#include "rule_table.h"

DECLARE_STATIC_KEY_FALSE(vmq_near_key);

struct sk_buff *vmq_near_swap(struct vmq_adapter *a, struct sk_buff *skb);
void vmq_near_drain(struct vmq_adapter *a);
int vmq_near_adapter_init(struct vmq_adapter *a);
void vmq_near_adapter_destroy(struct vmq_adapter *a);
bool vmq_near_uplink_fits(struct net_device *uplink);
void vmq_near_ports(int by);
int vmq_near_init(void);
void vmq_near_exit(void);

/* Do frames wait for others? */
static __always_inline bool vmq_near_used(void)
{
	return static_branch_unlikely(&vmq_near_key);
}

/* The netdev is not looked at, and may be gone. */
static __always_inline void vmq_near_prefetch(const struct vmq_slot *slot)
{
	const struct net_device *dev = READ_ONCE(slot->near);
	const struct vmq_port *port;

	if (!dev)
		return;
	/* what the stack reads in its next round; ifindex is between the two */
	prefetch(&dev->ptype_specific);
	prefetch(&dev->rx_handler);
	prefetch(&dev->ptype_all);
	prefetchw(this_cpu_ptr(READ_ONCE(slot->near_cpu)));
	port = netdev_priv(dev);
	if (vmq_tap_used())
		prefetch(&port->tap.taps[0]);
	if (vmq_ext_used())
		prefetch(&port->stack);
}

#endif /* _VMQ_RX_NEAR_H */
