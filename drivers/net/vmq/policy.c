// SPDX-License-Identifier: GPL-2.0
/*
 * What the switch itself allows a port: VLANs, source addresses, isolation (X-20,
 *
 *
 * On the wire every frame has its VLAN id. An access port has one VLAN, whose
 * tag the guest never sees; a trunk has a list of them, and may have a native one
 * for the untagged frames of the guest. Extensions see a frame as the guest does.
 *
 * The port's own filter follows: MAC address with the VLAN id, with
 * untagged-or-zero, or with any tag for a trunk. All else that leads to the port,
 * such as the administrator's rules, is checked when a frame is delivered.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/slab.h>

#include "policy.h"

/* ---- frames ---- */

/*
 * A tag behind that of the native VLAN, or behind one without an id, is the frame's own
 * for a guest at a trunk: it would be a way into a VLAN that nobody checked.
 */
static bool vmq_policy_hidden_tag(const struct vmq_policy *p,
				  const struct sk_buff *skb)
{
	return p->trunk && eth_type_vlan(skb->protocol);
}

/**
 * __vmq_policy_rx() - is a frame for a port with a policy?
 * @p: the policy
 * @skb: the frame towards the guest, its tag in the metadata; not shared
 *
 * Takes off the tag of the VLAN that is untagged for the guest.
 *
 * Context: RCU read side.
 * Return: false if it is not.
 */
bool __vmq_policy_rx(const struct vmq_policy *p, struct sk_buff *skb)
{
	u16 vid = vmq_skb_vid(skb);

	if (!vmq_policy_has_vlans(p))
		return true;
	if (vmq_skb_foreign_tag(skb) || !vmq_policy_allows(p, vid))
		return false;
	if ((!vid || vid == p->pvid) && vmq_policy_hidden_tag(p, skb))
		return false;
	if (p->pvid && vid == p->pvid)
		__vlan_hwaccel_clear_tag(skb);
	return true;
}

/* The port's own address, or another that it was given. */
static bool vmq_policy_may_send_as(const struct net_device *dev, const u8 *mac)
{
	const struct netdev_hw_addr *ha;

	if (likely(ether_addr_equal(mac, dev->dev_addr)))
		return true;
	list_for_each_entry_rcu(ha, &dev->uc.list, list)
		if (ether_addr_equal(mac, ha->addr))
			return true;
	return false;
}

/**
 * __vmq_policy_tx() - may a port with a policy send a frame?
 * @p: its policy
 * @skb: the frame of the guest, its tag in the metadata
 *
 * Puts the tag of its VLAN on a frame that has none; the priority of a tag without
 * a VLAN id stays.
 *
 * Context: RCU read side, BH off.
 * Return: %VMQ_TX_OK, or why not.
 */
int __vmq_policy_tx(const struct vmq_policy *p, struct sk_buff *skb)
{
	u16 vid = vmq_skb_vid(skb);
	u16 prio;

	if (p->spoofchk &&
	    !vmq_policy_may_send_as(p->dev, eth_hdr(skb)->h_source))
		return VMQ_TX_SPOOFED;
	if (!vmq_policy_has_vlans(p))
		return VMQ_TX_OK;
	if (vmq_skb_foreign_tag(skb) || (!vid && vmq_policy_hidden_tag(p, skb)))
		return VMQ_TX_VLAN;
	if (!vid && p->pvid) {
		prio = skb_vlan_tag_present(skb) ? skb_vlan_tag_get(skb) : 0;
		__vlan_hwaccel_put_tag(skb, htons(ETH_P_8021Q), prio | p->pvid);
		return VMQ_TX_OK;
	}
	return vmq_policy_allows(p, vid) ? VMQ_TX_OK : VMQ_TX_VLAN;
}

/* ---- what a policy is ---- */

/**
 * vmq_policy_parse_trunk() - reads the list of a trunk
 * @p: gets it
 * @text: numbers and ranges with commas between; empty for no trunk
 *
 * Context: Process context.
 * Return: 0, or -EINVAL or -ERANGE for what is no list of VLAN ids.
 */
int vmq_policy_parse_trunk(struct vmq_policy *p, const char *text)
{
	const char *c;
	int err;

	/* bitmap_parselist() knows more than that, such as "all" and strides */
	for (c = text; *c; c++)
		if (!isdigit(*c) && *c != ',' && *c != '-')
			return -EINVAL;
	err = bitmap_parselist(text, p->allowed, VLAN_N_VID);
	if (err)
		return err == -ERANGE ? -ERANGE : -EINVAL;
	p->trunk = *text;
	return 0;
}

/**
 * vmq_policy_get() - the policy of a port
 * @port: the port
 * @out: set to it; all zero where there is none
 *
 * Context: Any.
 */
void vmq_policy_get(const struct vmq_port *port, struct vmq_policy *out)
{
	const struct vmq_policy *p;

	rcu_read_lock();
	p = rcu_dereference(port->policy);
	if (p)
		*out = *p;
	else
		memset(out, 0, sizeof(*out));
	rcu_read_unlock();
}

/* ---- what follows from it: the port's filter, and what the uplink lets in ---- */

/**
 * vmq_policy_own_spec() - asks for a port's own filter
 * @p: policy of the port, or NULL
 * @mac: its address
 * @spec: what is asked for, filled here but for owner and queue
 *
 * Context: Any.
 */
void vmq_policy_own_spec(const struct vmq_policy *p, const u8 *mac,
			 struct vmq_filter_spec *spec)
{
	vmq_filter_mac_spec(spec, mac, p && !p->trunk ? p->pvid : 0);
	if (!p || !p->trunk)
		return;
	spec->mask.vlan = 0;
	spec->fs.flow_type &= ~FLOW_EXT;
	spec->fs.m_ext.vlan_tci = 0;
}

/* Does the uplink have to let this id in because of the policy alone? */
static bool vmq_policy_needs(const struct vmq_policy *p, unsigned int vid)
{
	return p && p->trunk && vmq_policy_allows(p, vid);
}

/* Takes back the ids below @end that @p needs and @but does not. */
static void vmq_policy_unsync(const struct vmq_policy *p,
			      const struct vmq_policy *but,
			      struct net_device *uplink, unsigned int end)
{
	unsigned int vid;

	for (vid = 1; vid < end; vid++)
		if (vmq_policy_needs(p, vid) && !vmq_policy_needs(but, vid))
			vlan_vid_del(uplink, htons(ETH_P_8021Q), vid);
}

/* Asks for the ids that @p needs and @but does not, for all or for none. */
static int vmq_policy_sync(const struct vmq_policy *p,
			   const struct vmq_policy *but,
			   struct net_device *uplink)
{
	unsigned int vid;
	int err;

	for (vid = 1; vid < VLAN_VID_MASK; vid++) {
		if (!vmq_policy_needs(p, vid) || vmq_policy_needs(but, vid))
			continue;
		err = vlan_vid_add(uplink, htons(ETH_P_8021Q), vid);
		if (err) {
			vmq_policy_unsync(p, but, uplink, vid);
			return err;
		}
	}
	return 0;
}

/**
 * vmq_policies_unsync_uplink() - takes the VLAN ids of trunks from the uplink
 * @a: the adapter
 * @uplink: its uplink
 *
 * Context: Process context, rtnl held.
 */
void vmq_policies_unsync_uplink(struct vmq_adapter *a,
				struct net_device *uplink)
{
	struct vmq_port *port;

	list_for_each_entry(port, &a->ports, node)
		vmq_policy_unsync(rtnl_dereference(port->policy), NULL, uplink,
				  VLAN_VID_MASK);
}

/**
 * vmq_policies_sync_uplink() - tells a new uplink of the VLAN ids of trunks
 * @a: the adapter
 * @uplink: its uplink
 *
 * Context: Process context, rtnl held.
 * Return: 0 or the error of the uplink, which knows of none then.
 */
int vmq_policies_sync_uplink(struct vmq_adapter *a, struct net_device *uplink)
{
	struct vmq_port *port;
	int err;

	list_for_each_entry(port, &a->ports, node) {
		err = vmq_policy_sync(rtnl_dereference(port->policy), NULL,
				      uplink);
		if (err)
			goto err_unsync;
	}
	return 0;

err_unsync:
	list_for_each_entry_continue_reverse(port, &a->ports, node)
		vmq_policy_unsync(rtnl_dereference(port->policy), NULL, uplink,
				  VLAN_VID_MASK);
	return err;
}

/* ---- set ---- */

static bool vmq_policy_is_empty(const struct vmq_policy *p)
{
	return !vmq_policy_has_vlans(p) && !p->isolate && !p->spoofchk;
}

static bool vmq_policy_equal(const struct vmq_policy *a,
			     const struct vmq_policy *b)
{
	if (!a || !b)
		return a == b;
	return a->pvid == b->pvid && a->trunk == b->trunk &&
	       a->isolate == b->isolate && a->spoofchk == b->spoofchk &&
	       bitmap_equal(a->allowed, b->allowed, VLAN_N_VID);
}

static bool vmq_policy_same_filter(const struct vmq_policy *a,
				   const struct vmq_policy *b)
{
	bool trunk = a && a->trunk;

	if (trunk != (b && b->trunk))
		return false;
	return trunk || (a ? a->pvid : 0) == (b ? b->pvid : 0);
}

/* The port's own filter, at the same place in the table: moved without a gap. */
static int vmq_policy_move_filter(struct vmq_port *port,
				  const struct vmq_policy *p,
				  struct netlink_ext_ack *extack)
{
	struct vmq_filter_spec spec;

	vmq_policy_own_spec(p, port->dev->dev_addr, &spec);
	spec.owner = VMQ_OWNER_PORT;
	spec.port = port;
	spec.queue = port->n_queues ? port->queue[0]->id : 0;
	spec.location = port->mac_location;
	return vmq_filter_set(port->adapter, &spec, extack);
}

/**
 * vmq_policy_set() - gives a port a policy
 * @port: the port
 * @want: the policy, good for vmq_policy_check()
 * @extack: says why not
 *
 * The filter moves first: until the policy follows, the old one refuses the frames
 * of a VLAN that is only now let in, or there is none and they are the guest's.
 *
 * Context: Process context, rtnl held; takes adapter->lock.
 * Return: 0; -EOPNOTSUPP for a port whose VF does not follow, -EEXIST if another
 * filter matches what the port's would, an error of the uplink, or -ENOMEM; nothing
 * changed then.
 */
int vmq_policy_set(struct vmq_port *port, const struct vmq_policy *want,
		   struct netlink_ext_ack *extack)
{
	struct net_device *uplink = rtnl_dereference(port->adapter->uplink);
	struct vmq_policy *old = rtnl_dereference(port->policy);
	struct vmq_policy *new = NULL;
	int err;

	if (!vmq_policy_is_empty(want)) {
		new = kmemdup(want, sizeof(*want), GFP_KERNEL_ACCOUNT);
		if (!new)
			return -ENOMEM;
		new->dev = port->dev;
		if (!new->trunk)
			bitmap_zero(new->allowed, VLAN_N_VID);
	}
	if (vmq_policy_equal(new, old)) {
		kfree(new);
		return 0;
	}
	err = vmq_path_policy(port, new, extack);
	if (err)
		goto err_free;
	if (uplink) {
		err = vmq_policy_sync(new, old, uplink);
		if (err) {
			NL_SET_ERR_MSG_FMT(extack, "%s does not take the VLAN ids",
					   uplink->name);
			goto err_path;
		}
	}
	if (!vmq_policy_same_filter(new, old)) {
		err = vmq_policy_move_filter(port, new, extack);
		if (err)
			goto err_unsync;
	}
	rcu_assign_pointer(port->policy, new);
	vmq_port_say(port);
	vmq_filter_vlans_refresh(port);
	if (uplink)
		vmq_policy_unsync(old, new, uplink, VLAN_VID_MASK);
	if (old)
		kfree_rcu(old, rcu);
	return 0;

err_unsync:
	if (uplink)
		vmq_policy_unsync(new, old, uplink, VLAN_VID_MASK);
err_path:
	vmq_path_policy(port, old, NULL);
	/* frames of the VF may have seen it */
	if (new)
		kfree_rcu(new, rcu);
	return err;

err_free:
	kfree(new);
	return err;
}

/**
 * vmq_policy_free() - a port goes, and its policy with it
 * @port: the port, a grace period after it was hidden from frames
 *
 * Context: Process context, rtnl held.
 */
void vmq_policy_free(struct vmq_port *port)
{
	struct net_device *uplink = rtnl_dereference(port->adapter->uplink);
	struct vmq_policy *p = rtnl_dereference(port->policy);

	if (!p)
		return;
	if (uplink)
		vmq_policy_unsync(p, NULL, uplink, VLAN_VID_MASK);
	RCU_INIT_POINTER(port->policy, NULL);
	kfree_rcu(p, rcu);
}
