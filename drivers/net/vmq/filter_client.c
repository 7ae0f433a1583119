// SPDX-License-Identifier: GPL-2.0
/*
 * Filters as netlink clients set, move and clear them: what they may match, who
 * may touch whose, and on which queues. The table is in filter.c.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>

#include "vmq_priv.h"

/**
 * vmq_filter_client_spec() - a VMQ filter: a MAC address and what of tags (F-22)
 * @spec: what is asked for, filled here but for queue and owner
 * @mac: destination address, 6 bytes
 * @has_vid: there is a test of the VLAN id
 * @vid: VLAN id, 1 to 4094
 * @untagged: only frames without a tag, or with VLAN id 0
 * @extack: says why not
 *
 * Without a VLAN test and without @untagged the filter takes frames with any tag
 * or none (O-04).
 *
 * Context: Any.
 * Return: 0, or -EINVAL for an address of zeroes, a VLAN id out of range (O-06),
 * or a VLAN id together with @untagged (O-07).
 */
int vmq_filter_client_spec(struct vmq_filter_spec *spec, const u8 *mac,
			   bool has_vid, u16 vid, bool untagged,
			   struct netlink_ext_ack *extack)
{
	if (is_zero_ether_addr(mac)) {
		NL_SET_ERR_MSG(extack, "the MAC address is zero");
		return -EINVAL;
	}
	if (has_vid && untagged) {
		NL_SET_ERR_MSG(extack, "give either vlan or untagged");
		return -EINVAL;
	}
	if (has_vid && (!vid || vid >= VLAN_VID_MASK)) {
		NL_SET_ERR_MSG(extack, "vlan is 1 to 4094; without a tag: untagged");
		return -EINVAL;
	}
	vmq_filter_mac_spec(spec, mac, has_vid ? vid : 0);
	spec->location = VMQ_LOC_ANY;
	if (has_vid || untagged)
		return 0;
	spec->mask.vlan = 0;
	spec->fs.flow_type = ETHER_FLOW;
	spec->fs.m_ext.vlan_tci = 0;
	return 0;
}

/* May a client set a filter on a queue (F-03, F-04, F-06)? */
static int vmq_filter_client_queue(struct vmq_adapter *a, u32 id,
				   const struct vmq_owner *sock, bool keep,
				   struct netlink_ext_ack *extack)
{
	struct vmq_queue *q = vmq_queue_find(a, id);

	if (!id)
		return 0;
	if (!q || q->state == VMQ_QUEUE_STATE_UNDEFINED) {
		NL_SET_ERR_MSG_FMT(extack, "queue %u is not allocated", id);
		return -ENOENT;
	}
	if (q->owner && q->owner != sock) {
		NL_SET_ERR_MSG_FMT(extack, "queue %u belongs to another socket",
				   id);
		return -EPERM;
	}
	if (q->owner && keep) {
		NL_SET_ERR_MSG_FMT(extack, "queue %u goes with its socket, and so do its filters",
				   id);
		return -EINVAL;
	}
	return 0;
}

/* The filter with an id, if a client may touch it (F-05). */
static struct vmq_filter *
vmq_filter_client_find(struct vmq_adapter *a, u32 id,
		       const struct vmq_owner *sock,
		       struct netlink_ext_ack *extack)
{
	struct vmq_filter *f = NULL;

	if (id && id <= VMQ_MAX_FILTERS)
		f = xa_load(&a->filters, id - 1);
	if (!f) {
		NL_SET_ERR_MSG_FMT(extack, "there is no filter %u", id);
		return ERR_PTR(-ENOENT);
	}
	if (f->owner == VMQ_OWNER_PORT) {
		NL_SET_ERR_MSG_FMT(extack, "filter %u belongs to port %s", id,
				   f->port->dev->name);
		return ERR_PTR(-EPERM);
	}
	if (f->sock && f->sock != sock) {
		NL_SET_ERR_MSG_FMT(extack, "filter %u belongs to another socket",
				   id);
		return ERR_PTR(-EPERM);
	}
	return f;
}

/**
 * vmq_filter_client_set() - sets a filter of a client
 * @a: the adapter
 * @spec: what is asked for, with its queue; the location that was chosen is
 *	written back
 * @sock: the client
 * @keep: the filter is the adapter's and stays when the client is gone
 * @extack: says why not
 *
 * Context: Process context, rtnl held; takes adapter->lock.
 * Return: 0, -ENOENT for a queue that is not allocated, -EPERM for one
 * of another socket (F-03), -EINVAL if the filter can't be kept, or the errors of
 * vmq_filter_set(). Nothing changed then.
 */
int vmq_filter_client_set(struct vmq_adapter *a, struct vmq_filter_spec *spec,
			  struct vmq_owner *sock, bool keep,
			  struct netlink_ext_ack *extack)
{
	int err = vmq_filter_client_queue(a, spec->queue, sock, keep, extack);

	if (err)
		return err;
	spec->owner = keep ? VMQ_OWNER_ADAPTER : VMQ_OWNER_SOCKET;
	spec->sock = keep ? NULL : sock;
	return vmq_filter_set(a, spec, extack);
}

/**
 * vmq_filter_client_move() - moves a filter to another queue (F-30, F-31)
 * @a: the adapter
 * @id: of the filter, and it keeps it
 * @queue: where to
 * @sock: the client, or NULL if it owns nothing
 * @extack: says why not
 *
 * At every instant a frame that the filter matches goes to one of the two
 * queues, and none is lost in between.
 *
 * Context: Process context, sleeps, rtnl held; takes adapter->lock.
 * Return: 0, the errors of vmq_filter_client_set() and of
 * vmq_filter_client_clear(). Nothing changed then.
 */
int vmq_filter_client_move(struct vmq_adapter *a, u32 id, u32 queue,
			   const struct vmq_owner *sock,
			   struct netlink_ext_ack *extack)
{
	struct vmq_filter_spec spec = {};
	struct vmq_filter *f;
	int err;

	f = vmq_filter_client_find(a, id, sock, extack);
	if (IS_ERR(f))
		return PTR_ERR(f);
	err = vmq_filter_client_queue(a, queue, sock,
				      f->owner == VMQ_OWNER_ADAPTER, extack);
	if (err)
		return err;
	if (vmq_filter_is_on(f, queue))
		return 0;
	spec.key = f->rule->key;
	spec.mask = f->rule->mask;
	spec.fs = f->fs;
	spec.fs.flow_type &= ~FLOW_RSS;
	spec.location = id - 1;
	spec.queue = queue;
	spec.owner = f->owner;
	spec.sock = f->sock;
	return vmq_filter_set(a, &spec, extack);
}

/**
 * vmq_filter_client_clear() - clears a filter of a client, one of many
 * @a: the adapter
 * @id: of the filter
 * @sock: the client, or NULL if it owns nothing
 * @extack: says why not
 *
 * The caller waits for a grace period after the last one.
 *
 * Context: Process context, rtnl held; takes adapter->lock.
 * Return: 0, -ENOENT if there is none (F-08), or -EPERM if a port or another
 * socket set it (F-05).
 */
int vmq_filter_client_clear(struct vmq_adapter *a, u32 id,
			    const struct vmq_owner *sock,
			    struct netlink_ext_ack *extack)
{
	struct vmq_filter *f = vmq_filter_client_find(a, id, sock, extack);

	if (IS_ERR(f))
		return PTR_ERR(f);
	return vmq_filter_clear_nowait(a, id - 1, f->owner, f->sock);
}
