// SPDX-License-Identifier: GPL-2.0
/*
 * Generic netlink: multicast groups of guests (group-get), and what adapter-get and
 * port-get say of them.
 */
#include <net/ipv6.h>

#include "netlink.h"

/**
 * vmq_fill_adapter_mcast() - describes what an adapter knows of multicast groups
 * @msg: the message
 * @a: the adapter
 *
 * Context: Process context, rtnl held.
 * Return: 0 or -EMSGSIZE.
 */
int vmq_fill_adapter_mcast(struct sk_buff *msg, struct vmq_adapter *a)
{
	if (nla_put_u8(msg, VMQ_A_ADAPTER_MCAST_SNOOPING, a->mcast.on) ||
	    nla_put_u32(msg, VMQ_A_ADAPTER_MCAST_QUERIERS,
			READ_ONCE(a->mcast.n_vlans)) ||
	    nla_put_u32(msg, VMQ_A_ADAPTER_MCAST_GROUPS,
			READ_ONCE(a->mcast.n)))
		return -EMSGSIZE;
	return 0;
}

/**
 * vmq_fill_port_mcast() - describes what is known of the groups of a port's guest
 * @msg: the message
 * @port: the port
 *
 * Context: Process context, rtnl held or the port kept alive.
 * Return: 0 or -EMSGSIZE.
 */
int vmq_fill_port_mcast(struct sk_buff *msg, struct vmq_port *port)
{
	struct vmq_mcast_report mc;

	vmq_mcast_port_report(&port->adapter->mcast, &port->mcast, &mc);
	if (nla_put_u32(msg, VMQ_A_PORT_MCAST_GROUPS, mc.groups) ||
	    nla_put_u32(msg, VMQ_A_PORT_MCAST_NARROWED, mc.narrowed) ||
	    (mc.router && nla_put_flag(msg, VMQ_A_PORT_MCAST_ROUTER)) ||
	    vmq_put_u64(msg, VMQ_A_PORT_MCAST_REPORTS, mc.reports) ||
	    vmq_put_u64(msg, VMQ_A_PORT_MCAST_LEAVES, mc.leaves) ||
	    vmq_put_u64(msg, VMQ_A_PORT_MCAST_QUERIES, mc.queries) ||
	    vmq_put_u64(msg, VMQ_A_PORT_MCAST_WITHHELD, mc.withheld) ||
	    vmq_put_u64(msg, VMQ_A_PORT_MCAST_ALLMULTI, mc.allmulti) ||
	    vmq_put_u64(msg, VMQ_A_PORT_MCAST_OVERFLOWS, mc.overflows))
		return -EMSGSIZE;
	return 0;
}

/* ---- group-get ---- */

static int vmq_fill_group(struct sk_buff *msg, const struct vmq_port *port,
			  const struct vmq_mcast_member *member)
{
	const struct vmq_mcast_key *key = &member->key;
	long left = member->expires - jiffies;
	const void *addr = &key->addr;
	int len = sizeof(key->addr);

	if (!key->v6) {
		len = sizeof(__be32);
		addr = &key->addr.s6_addr32[3];
	}
	if (vmq_fill_dev(msg, port->dev) ||
	    nla_put_string(msg, VMQ_A_GROUP_ADAPTER, port->adapter->dev->name) ||
	    nla_put_u16(msg, VMQ_A_GROUP_VLAN, key->vid) ||
	    nla_put(msg, VMQ_A_GROUP_GROUP, len, addr) ||
	    (ipv6_addr_any(&key->addr) &&
	     nla_put_flag(msg, VMQ_A_GROUP_ROUTER)) ||
	    nla_put_u32(msg, VMQ_A_GROUP_EXPIRES,
			jiffies_to_msecs(max(left, 0L))))
		return -EMSGSIZE;
	return 0;
}

/*
 * Groups come and go between two messages, but their serial numbers only grow. only:
 * one port, or NULL.
 */
static int vmq_dump_groups_of(struct sk_buff *skb, struct netlink_callback *cb,
			      struct vmq_adapter *a,
			      const struct vmq_port *only, unsigned long *pos)
{
	struct vmq_mcast_member *member;
	struct vmq_port *port;
	int err = 0;
	void *hdr;

	spin_lock_bh(&a->mcast.lock);
	list_for_each_entry(member, &a->mcast.members, of_all) {
		port = container_of(member->port, struct vmq_port, mcast);
		if (member->serial <= *pos || (only && port != only) ||
		    !net_eq(dev_net(port->dev), sock_net(skb->sk)))
			continue;
		hdr = vmq_dump_start(skb, cb, VMQ_CMD_GROUP_GET);
		err = hdr ? vmq_fill_group(skb, port, member) : -EMSGSIZE;
		err = vmq_dump_end(skb, hdr, err);
		if (err)
			break;
		*pos = member->serial;
	}
	spin_unlock_bh(&a->mcast.lock);
	return err;
}

static int vmq_dump_groups(struct sk_buff *skb, struct netlink_callback *cb,
			   struct vmq_adapter *a, unsigned long *pos)
{
	return vmq_dump_groups_of(skb, cb, a, NULL, pos);
}

/**
 * vmq_nl_group_get_dumpit() - group-get of all ports of the netns, or of one
 * @skb: the answer
 * @cb: state of the dump
 *
 * Context: Process context.
 * Return: bytes of the answer, 0 at the end, or a negative errno.
 */
int vmq_nl_group_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	const struct genl_info *info = genl_info_dump(cb);
	struct vmq_port *port;
	int err;

	if (!vmq_nl_names_dev(info))
		return vmq_nl_dump_all(skb, cb, vmq_dump_groups);
	rtnl_lock();
	port = vmq_nl_port(info);
	if (IS_ERR(port))
		err = PTR_ERR(port);
	else
		err = vmq_dump_groups_of(skb, cb, port->adapter, port,
					 &vmq_dump(cb)->pos);
	rtnl_unlock();
	return err == -EMSGSIZE && skb->len ? skb->len : err;
}
