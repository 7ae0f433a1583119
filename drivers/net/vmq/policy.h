/* SPDX-License-Identifier: GPL-2.0 */
/*
 * policy.c: what the switch itself allows a port, after its extensions had their
 * say: VLANs, source addresses, and whom it may talk to.
 */
#ifndef _VMQ_POLICY_H
#define _VMQ_POLICY_H

#include "policy_check.h"
#include "vmq_priv.h"

bool __vmq_policy_rx(const struct vmq_policy *p, struct sk_buff *skb);
int __vmq_policy_tx(const struct vmq_policy *p, struct sk_buff *skb);

/*
 * For a frame towards the guest: false if it is not for this port. A tag that the
 * guest must not see is taken off. Context: RCU read side.
 */
static inline bool vmq_policy_rx(const struct vmq_port *port,
				 struct sk_buff *skb)
{
	const struct vmq_policy *p = rcu_dereference(port->policy);

	return likely(!p) || __vmq_policy_rx(p, skb);
}

/*
 * For a frame that vmq_policy_rx() let pass and that does not reach the guest now: it
 * gets the tag back that was taken off. Context: rtnl or RCU read side.
 */
static inline void vmq_policy_undo_rx(const struct vmq_port *port,
				      struct sk_buff *skb)
{
	const struct vmq_policy *p = rcu_dereference_rtnl(port->policy);

	if (p && p->pvid && !skb_vlan_tag_present(skb))
		__vlan_hwaccel_put_tag(skb, htons(ETH_P_8021Q), p->pvid);
}

/*
 * For a frame from the guest: why it must not be sent, of enum vmq_tx_cause, or
 * VMQ_TX_OK. A tag that the guest must not know is put on. Context: RCU read side,
 * BH off.
 */
static inline int vmq_policy_tx(const struct vmq_port *port,
				struct sk_buff *skb)
{
	const struct vmq_policy *p = rcu_dereference(port->policy);

	return likely(!p) ? VMQ_TX_OK : __vmq_policy_tx(p, skb);
}

/* Must not the one port hear the other? Context: RCU read side. */
static inline bool vmq_policy_isolates(const struct vmq_port *from,
				       const struct vmq_port *to)
{
	const struct vmq_policy *p;

	p = from && to ? rcu_dereference(from->policy) : NULL;
	if (likely(!p) || !p->isolate)
		return false;
	p = rcu_dereference(to->policy);
	return p && p->isolate;
}

void vmq_policy_get(const struct vmq_port *port, struct vmq_policy *out);
int vmq_policy_set(struct vmq_port *port, const struct vmq_policy *want,
		   struct netlink_ext_ack *extack);
int vmq_policy_parse_trunk(struct vmq_policy *p, const char *text);
void vmq_policy_free(struct vmq_port *port);
void vmq_policy_own_spec(const struct vmq_policy *p, const u8 *mac,
			 struct vmq_filter_spec *spec);
int vmq_policies_sync_uplink(struct vmq_adapter *a, struct net_device *uplink);
void vmq_policies_unsync_uplink(struct vmq_adapter *a,
				struct net_device *uplink);

#endif /* _VMQ_POLICY_H */
