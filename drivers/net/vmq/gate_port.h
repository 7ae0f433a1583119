/* SPDX-License-Identifier: GPL-2.0 */
/*
 * gate_port.c: the gate of a port in the data path. Its queue and states are in
 * gate.h.
 */
#ifndef _VMQ_GATE_PORT_H
#define _VMQ_GATE_PORT_H

#include "vmq_priv.h"

/* What waits at the gate of a port, and what became of what waited. */
struct vmq_gate_report {
	u8 mode;
	u32 frames;
	u32 bytes;
	u32 max_frames;
	u32 max_bytes;
	u64 gap;
	struct vmq_gate_counters n;
};

DECLARE_STATIC_KEY_FALSE(vmq_gate_key);	/* a port used its gate */

/* Was there ever a gate that was shut? Else there is nothing to look at. */
static inline bool vmq_gate_used(void)
{
	return static_branch_unlikely(&vmq_gate_key);
}

bool __vmq_gate_rx(struct vmq_port *port, u16 index, bool counted,
		   struct sk_buff *skb);
bool __vmq_gate_mutes_flood(struct vmq_port *port);
bool __vmq_gate_mutes_tx(struct vmq_port *port, const struct sk_buff *skb);

/*
 * Takes the frame if the gate of the port is shut. index: queue of the port that
 * it came by. Context: RCU read side, BH off.
 */
static inline bool vmq_gate_rx(struct vmq_port *port, u16 index,
			       struct sk_buff *skb)
{
	return static_branch_unlikely(&vmq_gate_key) &&
	       READ_ONCE(port->gate.shut) &&
	       __vmq_gate_rx(port, index, false, skb);
}

/*
 * The same for one that passed a gate which was closed since. What the drain of
 * one that is opening delivers must not come back to it.
 */
static inline bool vmq_gate_rx_late(struct vmq_port *port,
				    struct sk_buff *skb)
{
	return static_branch_unlikely(&vmq_gate_key) &&
	       READ_ONCE(port->gate.mode) != VMQ_PORT_GATE_OPEN &&
	       __vmq_gate_rx(port, 0, true, skb);
}

/* Is nothing flooded to the port? Context: RCU read side, BH off. */
static inline bool vmq_gate_mutes_flood(struct vmq_port *port)
{
	return static_branch_unlikely(&vmq_gate_key) &&
	       READ_ONCE(port->gate.shut) && __vmq_gate_mutes_flood(port);
}

/*
 * Was the port made ready for a guest that is on another host still? Context: RCU
 * read side.
 */
static inline bool vmq_gate_expects(const struct vmq_port *port)
{
	return static_branch_unlikely(&vmq_gate_key) &&
	       READ_ONCE(port->gate.expected);
}

/* May the port not send this frame? Context: RCU read side, BH off. */
static inline bool vmq_gate_mutes_tx(struct vmq_port *port,
				     const struct sk_buff *skb)
{
	return static_branch_unlikely(&vmq_gate_key) &&
	       READ_ONCE(port->gate.mode) != VMQ_PORT_GATE_OPEN &&
	       __vmq_gate_mutes_tx(port, skb);
}

void vmq_port_gate_set(struct vmq_port *port, enum vmq_port_gate mode);
void vmq_port_gate_save(struct vmq_port *port);
void vmq_port_gate_restore(struct vmq_port *port, struct sk_buff_head *list,
			   u64 closed_at, u32 restored, u32 lost);
int vmq_port_redirect_check(struct vmq_port *port, struct net_device *dev,
			    struct netlink_ext_ack *extack);
void vmq_port_redirect_set(struct vmq_port *port, struct net_device *dev);
void vmq_port_redirect_gone(struct net_device *dev);
void vmq_port_gate_report(struct vmq_port *port,
			  struct vmq_gate_report *out);
void vmq_port_gate_init(struct vmq_port *port);
void vmq_port_gate_destroy(struct vmq_port *port);
void vmq_port_gate_release(struct vmq_port *port);

#endif /* _VMQ_GATE_PORT_H */
