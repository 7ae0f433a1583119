// SPDX-License-Identifier: GPL-2.0
/*
 * The port itself as the first party of a session: what of it moves, and how
 * it is put in place on this host, or back.
 *
 * Whether an address is free can only be said under rtnl, so a record is checked
 * for itself when it arrives and against this host when it is applied.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/slab.h>

#include "state.h"

static_assert(VMQ_CORE_NAME_MAX == VMQ_NAME_MAX);

/* What was changed, in order to undo it. */
struct vmq_core_undo {
	bool active;
	uuid_t uuid;
	u8 mac[ETH_ALEN];
	u8 addr_assign_type;
	u32 mtu;
	unsigned int gflags;
	struct vmq_stats base;
	struct vmq_core_rss *rss;
	struct vmq_policy policy;
	struct vmq_core_queue_undo queues;
	struct vmq_core_filter_undo filters;
	unsigned long *mc;	/* bit per address of the record that was added */
};

/* ep->session of the port. */
struct vmq_core_session {
	struct vmq_core_state *st;
	bool saved;
	struct vmq_core_undo undo;
};

static struct vmq_port *vmq_core_port(const struct vmq_ext_port *ep)
{
	return ep->priv;
}

static int vmq_core_session_new(struct vmq_ext_port *ep)
{
	struct vmq_core_session *cs;

	cs = kzalloc(sizeof(*cs), GFP_KERNEL_ACCOUNT);
	ep->session = cs;
	return cs ? 0 : -ENOMEM;
}

static void vmq_core_session_free(struct vmq_ext_port *ep, bool ok)
{
	struct vmq_core_session *cs = ep->session;

	vmq_core_free(cs->st);
	kvfree(cs->undo.filters.location);
	bitmap_free(cs->undo.mc);
	kfree(cs->undo.rss);
	vmq_core_queue_undo_free(&cs->undo.queues);
	kfree(cs);
	ep->session = NULL;
}

/* ---- save ---- */

static int vmq_core_save_mc(struct net_device *dev, struct vmq_core_state *st)
{
	struct netdev_hw_addr *ha;

	st->mc = kvmalloc_array(VMQ_CORE_MAX_MC, sizeof(*st->mc),
				GFP_KERNEL_ACCOUNT);
	if (!st->mc)
		return -ENOMEM;
	netif_addr_lock_bh(dev);
	netdev_for_each_mc_addr(ha, dev) {
		if (st->n_mc == VMQ_CORE_MAX_MC) {
			/* too many to list, as for many a NIC */
			st->rx_mode |= VMQ_CORE_ALLMULTI;
			break;
		}
		ether_addr_copy(st->mc[st->n_mc++].addr, ha->addr);
	}
	netif_addr_unlock_bh(dev);
	return 0;
}

static int vmq_core_snapshot(struct vmq_port *port, struct vmq_core_state *st,
			     struct netlink_ext_ack *extack)
{
	struct net_device *dev = port->dev;
	int err;

	uuid_copy(&st->uuid, &port->uuid);
	ether_addr_copy(st->mac, dev->dev_addr);
	st->mtu = dev->mtu;
	/* what users asked for; the counts belong to others on this host */
	if (dev->gflags & IFF_PROMISC)
		st->rx_mode |= VMQ_CORE_PROMISC;
	if (dev->gflags & IFF_ALLMULTI)
		st->rx_mode |= VMQ_CORE_ALLMULTI;
	st->present = BIT(VMQ_CORE_MAC) | BIT(VMQ_CORE_MTU) |
		      BIT(VMQ_CORE_RX_MODE) | BIT(VMQ_CORE_QUEUES) |
		      BIT(VMQ_CORE_COUNTERS);
	if (!uuid_is_null(&st->uuid))
		st->present |= BIT(VMQ_CORE_UUID);

	vmq_policy_get(port, &st->policy);
	if (rcu_access_pointer(port->policy))
		st->present |= BIT(VMQ_CORE_POLICY);

	err = vmq_core_filter_save(port, st, extack);
	if (err)
		return err;
	if (st->n_filters)
		st->present |= BIT(VMQ_CORE_FILTERS);
	if (st->queue_name[0])
		st->present |= BIT(VMQ_CORE_QUEUE_NAME);
	err = vmq_core_save_mc(dev, st);
	if (err)
		return err;
	if (st->n_mc)
		st->present |= BIT(VMQ_CORE_MC);
	err = vmq_core_rss_save(port, &st->rss);
	if (err)
		return err;
	if (st->rss)
		st->present |= BIT(VMQ_CORE_RSS);
	err = vmq_core_queue_save(port, st, extack);
	if (err)
		return err;
	if (st->n_params)
		st->present |= BIT(VMQ_CORE_QUEUE_PARAMS);
	return 0;
}

static int vmq_core_save_begin(struct vmq_ext_port *ep,
			       struct netlink_ext_ack *extack)
{
	struct vmq_core_session *cs;
	int err;

	ASSERT_RTNL();
	err = vmq_core_session_new(ep);
	if (err)
		return err;
	cs = ep->session;
	err = -ENOMEM;
	cs->st = kzalloc(sizeof(*cs->st), GFP_KERNEL_ACCOUNT);
	if (cs->st)
		err = vmq_core_snapshot(vmq_core_port(ep), cs->st, extack);
	if (err)
		vmq_core_session_free(ep, false);
	return err;
}

static int vmq_core_save_next(struct vmq_ext_port *ep, struct vmq_record *rec)
{
	struct vmq_core_session *cs = ep->session;
	struct vmq_port *port = vmq_core_port(ep);
	int ret;

	if (cs->saved)
		return 0;
	memset(&cs->st->stats, 0, sizeof(cs->st->stats));
	vmq_port_sum(port, 0, port->dev->num_rx_queues, &cs->st->stats);
	ret = vmq_core_encode(cs->st, rec);
	if (ret >= 0)
		cs->saved = true;
	return ret;
}

/* ---- restore: against this host ---- */

/* Whatever the VLAN, nobody may have the frames of the host or of another guest. */
static int vmq_core_check_addr(struct vmq_port *port, const u8 *mac,
			       struct netlink_ext_ack *extack)
{
	struct vmq_adapter *a = port->adapter;
	struct vmq_port *other;

	if (ether_addr_equal(mac, a->dev->dev_addr)) {
		NL_SET_ERR_MSG_FMT(extack, "MAC address %pM is that of %s",
				   mac, a->dev->name);
		return -EEXIST;
	}
	list_for_each_entry(other, &a->ports, node) {
		if (other == port ||
		    !ether_addr_equal(other->dev->dev_addr, mac))
			continue;
		NL_SET_ERR_MSG_FMT(extack, "MAC address %pM is that of port %s",
				   mac, other->dev->name);
		return -EEXIST;
	}
	return 0;
}

static int vmq_core_check_mac(struct vmq_port *port,
			      const struct vmq_core_state *st,
			      struct netlink_ext_ack *extack)
{
	const struct vmq_policy *p = rtnl_dereference(port->policy);
	struct vmq_core_filter own = { .vid = VMQ_CORE_VID_UNTAGGED };
	int ret;

	ret = vmq_core_check_addr(port, st->mac, extack);
	if (ret)
		return ret;
	if (st->present & BIT(VMQ_CORE_POLICY))
		p = &st->policy;
	if (p)
		own.vid = p->trunk ? VMQ_CORE_VID_ANY : p->pvid;
	ether_addr_copy(own.mac, st->mac);
	ret = vmq_core_filter_taken(port, &own, extack);
	return min(ret, 0);
}

/* Says no before anything is touched, where this host has no place for it. */
static int vmq_core_check(struct vmq_port *port,
			  const struct vmq_core_state *st,
			  struct netlink_ext_ack *extack)
{
	struct net_device *dev = port->dev;
	int err;
	u32 i;

	if (st->present & BIT(VMQ_CORE_MTU) &&
	    (st->mtu < dev->min_mtu || (dev->max_mtu && st->mtu > dev->max_mtu))) {
		NL_SET_ERR_MSG_FMT(extack, "MTU %u is not within %u and %u",
				   st->mtu, dev->min_mtu, dev->max_mtu);
		return -ERANGE;
	}
	if (st->present & BIT(VMQ_CORE_MAC)) {
		err = vmq_core_check_mac(port, st, extack);
		if (err)
			return err;
	}
	for (i = 0; i < st->n_filters; i++) {
		err = vmq_core_check_addr(port, st->filters[i].mac, extack) ?:
		      vmq_core_filter_taken(port, &st->filters[i], extack);
		if (err < 0)
			return err;
		cond_resched();
	}
	return 0;
}

/* ---- restore: apply and undo ---- */

static int vmq_core_set_mac(struct vmq_port *port, const u8 *mac, u8 assigned,
			    struct netlink_ext_ack *extack)
{
	struct net_device *dev = port->dev;
	int err;

	if (ether_addr_equal(mac, dev->dev_addr))
		return 0;
	err = vmq_port_set_mac(port, mac, extack);
	if (err)
		return err;
	dev->addr_assign_type = assigned;
	call_netdevice_notifiers(NETDEV_CHANGEADDR, dev);
	return 0;
}

static int vmq_core_set_mtu(struct vmq_port *port, u32 mtu,
			    struct netlink_ext_ack *extack)
{
	int err;

	if (port->dev->mtu == mtu)
		return 0;
	err = dev_set_mtu(port->dev, mtu);
	if (err)
		NL_SET_ERR_MSG_FMT(extack, "MTU %u does not fit (MTU of %s: %u)",
				   mtu, port->adapter->dev->name,
				   port->adapter->dev->mtu);
	return err;
}

static int vmq_core_add_mc(struct net_device *dev,
			   const struct vmq_core_state *st,
			   struct vmq_core_undo *undo,
			   struct netlink_ext_ack *extack)
{
	int err;
	u32 i;

	if (!st->n_mc)
		return 0;
	undo->mc = bitmap_zalloc(st->n_mc, GFP_KERNEL_ACCOUNT);
	if (!undo->mc)
		return -ENOMEM;
	for (i = 0; i < st->n_mc; i++) {
		/* excl: else each move would add a reference */
		err = dev_mc_add_excl(dev, st->mc[i].addr);
		if (err == -EEXIST)
			continue;
		if (err) {
			NL_SET_ERR_MSG_FMT(extack, "multicast address %pM was refused",
					   st->mc[i].addr);
			return err;
		}
		__set_bit(i, undo->mc);
	}
	return 0;
}

static int vmq_core_set_gflags(struct net_device *dev, unsigned int gflags,
			       struct netlink_ext_ack *extack)
{
	const unsigned int mask = IFF_PROMISC | IFF_ALLMULTI;

	if (!((dev->gflags ^ gflags) & mask))
		return 0;
	return dev_change_flags(dev, (dev->flags & ~mask) | (gflags & mask),
				extack);
}

static u64 vmq_core_raise(u64 *base, u64 saved, u64 local)
{
	if (saved > local && saved - local > *base)
		WRITE_ONCE(*base, saved - local);
	return *base;
}

/*
 * What the port shows continues where it was, and never goes backwards: not
 * where it is restored on the host that saved it either, as that would count
 * the same frames twice.
 */
static void vmq_core_set_counters(struct vmq_port *port,
				  const struct vmq_stats *saved)
{
	struct vmq_stats *base = &port->base;
	struct vmq_stats local = {};
	u64 drops = 0;
	int i;

	vmq_port_local(port, 0, port->dev->num_rx_queues, &local);
	vmq_core_raise(&base->rx_packets, saved->rx_packets, local.rx_packets);
	vmq_core_raise(&base->rx_bytes, saved->rx_bytes, local.rx_bytes);
	vmq_core_raise(&base->tx_packets, saved->tx_packets, local.tx_packets);
	vmq_core_raise(&base->tx_bytes, saved->tx_bytes, local.tx_bytes);
	vmq_core_raise(&base->tx_drops, saved->tx_drops, local.tx_drops);
	vmq_core_raise(&base->tx_ext_drops, saved->tx_ext_drops,
		       local.tx_ext_drops);
	vmq_core_raise(&base->multicast, saved->multicast, local.multicast);
	for (i = 0; i < VMQ_TX_CAUSES; i++)
		vmq_core_raise(&base->tx_cause[i], saved->tx_cause[i],
			       local.tx_cause[i]);
	for (i = 0; i < VMQ_DROPS; i++)
		drops += vmq_core_raise(&base->drops[i], saved->drops[i],
					local.drops[i]);
	WRITE_ONCE(base->rx_drops, drops);
}

static void vmq_core_rollback(struct vmq_ext_port *ep)
{
	struct vmq_core_session *cs = ep->session;
	struct vmq_port *port = vmq_core_port(ep);
	struct vmq_core_undo *undo = &cs->undo;
	struct net_device *dev = port->dev;
	unsigned int i;
	int err;

	ASSERT_RTNL();
	if (!undo->active)
		return;
	undo->active = false;

	port->base = undo->base;
	err = vmq_core_set_gflags(dev, undo->gflags, NULL);
	err = vmq_core_queue_undo(port, &undo->queues) ?: err;
	if (undo->rss)
		err = vmq_core_rss_apply(port, undo->rss, NULL) ?: err;
	if (undo->mc)
		for_each_set_bit(i, undo->mc, cs->st->n_mc)
			dev_mc_del_global(dev, cs->st->mc[i].addr);
	vmq_core_filter_undo(port, &undo->filters);
	err = vmq_core_set_mac(port, undo->mac, undo->addr_assign_type,
			       NULL) ?: err;
	if (cs->st->present & BIT(VMQ_CORE_POLICY))
		err = vmq_policy_set(port, &undo->policy, NULL) ?: err;
	err = vmq_core_set_mtu(port, undo->mtu, NULL) ?: err;
	uuid_copy(&port->uuid, &undo->uuid);
	if (err)
		netdev_err(dev, "restore failed, and undoing it too: %d\n", err);
}

static int vmq_core_apply(struct vmq_ext_port *ep, const struct vmq_record *rec,
			  struct netlink_ext_ack *extack)
{
	struct vmq_core_session *cs = ep->session;
	struct vmq_port *port = vmq_core_port(ep);
	const struct vmq_core_state *st = cs->st;
	struct vmq_core_undo *undo = &cs->undo;
	struct net_device *dev = port->dev;
	unsigned int gflags = 0;
	int err;

	ASSERT_RTNL();
	err = vmq_core_check(port, st, extack);
	if (err)
		return err;

	undo->active = true;
	uuid_copy(&undo->uuid, &port->uuid);
	ether_addr_copy(undo->mac, dev->dev_addr);
	undo->addr_assign_type = dev->addr_assign_type;
	undo->mtu = dev->mtu;
	undo->gflags = dev->gflags;
	undo->base = port->base;
	vmq_policy_get(port, &undo->policy);

	if (st->present & BIT(VMQ_CORE_MTU)) {
		err = vmq_core_set_mtu(port, st->mtu, extack);
		if (err)
			goto err_undo;
	}
	if (st->present & BIT(VMQ_CORE_POLICY)) {
		err = vmq_policy_set(port, &st->policy, extack);
		if (err)
			goto err_undo;
	}
	if (st->present & BIT(VMQ_CORE_MAC)) {
		err = vmq_core_set_mac(port, st->mac, NET_ADDR_SET, extack);
		if (err)
			goto err_undo;
	}
	err = vmq_core_filter_apply(port, st, &undo->filters, extack);
	if (err)
		goto err_undo;
	err = vmq_core_add_mc(dev, st, undo, extack);
	if (err)
		goto err_undo;
	if (st->present & BIT(VMQ_CORE_RX_MODE)) {
		if (st->rx_mode & VMQ_CORE_PROMISC)
			gflags |= IFF_PROMISC;
		if (st->rx_mode & VMQ_CORE_ALLMULTI)
			gflags |= IFF_ALLMULTI;
		err = vmq_core_set_gflags(dev, gflags, extack);
		if (err)
			goto err_undo;
	}
	if (st->rss) {
		err = vmq_core_rss_save(port, &undo->rss) ?:
		      vmq_core_rss_apply(port, st->rss, extack);
		if (err)
			goto err_undo;
	}
	if (st->n_params && port->n_queues) {
		err = vmq_core_queue_remember(port, &undo->queues) ?:
		      vmq_core_queue_apply(port, st, extack);
		if (err)
			goto err_undo;
	}
	if (st->present & BIT(VMQ_CORE_COUNTERS))
		vmq_core_set_counters(port, &st->stats);
	if (st->present & BIT(VMQ_CORE_UUID))
		uuid_copy(&port->uuid, &st->uuid);
	return 0;

err_undo:
	vmq_core_rollback(ep);
	return err;
}

/* ---- restore: for itself ---- */

static int vmq_core_restore_begin(struct vmq_ext_port *ep,
				  struct netlink_ext_ack *extack)
{
	return vmq_core_session_new(ep);
}

static int vmq_core_validate(struct vmq_ext_port *ep,
			     const struct vmq_record *rec,
			     struct netlink_ext_ack *extack)
{
	struct vmq_core_session *cs = ep->session;
	struct vmq_core_state *st = vmq_core_parse(rec, extack);

	if (IS_ERR(st))
		return PTR_ERR(st);
	cs->st = st;
	return 0;
}

const struct vmq_ext_ops vmq_core_ops = {
	.name = "port",
	.data_version = VMQ_CORE_VERSION,
	.save_begin = vmq_core_save_begin,
	.save_next = vmq_core_save_next,
	.save_complete = vmq_core_session_free,
	.restore_begin = vmq_core_restore_begin,
	.validate = vmq_core_validate,
	.apply = vmq_core_apply,
	.rollback = vmq_core_rollback,
	.restore_complete = vmq_core_session_free,
};
