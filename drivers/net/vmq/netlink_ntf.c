// SPDX-License-Identifier: GPL-2.0
/*
 * Generic netlink notifications, group "events". A listener that misses one asks
 * again; so the lack of memory for one is nothing to fail for.
 */
#include "netlink.h"

static struct sk_buff *vmq_ntf_start(const struct net_device *dev, u8 cmd,
				     void **hdr)
{
	struct sk_buff *msg;

	if (!genl_has_listeners(&vmq_nl_family, dev_net(dev),
				VMQ_NLGRP_EVENTS))
		return NULL;
	msg = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!msg)
		return NULL;
	*hdr = genlmsg_put(msg, 0, 0, &vmq_nl_family, 0, cmd);
	if (!*hdr) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

static void vmq_ntf_end(const struct net_device *dev, struct sk_buff *msg,
			void *hdr, int err)
{
	if (err) {
		nlmsg_free(msg);
		return;
	}
	genlmsg_end(msg, hdr);
	genlmsg_multicast_netns(&vmq_nl_family, dev_net(dev), msg, 0,
				VMQ_NLGRP_EVENTS, GFP_KERNEL);
}

/**
 * vmq_notify_queue() - says that a queue's DMA stopped
 * @q: the queue
 *
 * Context: Process context, adapter->lock held.
 */
void vmq_notify_queue(struct vmq_queue *q)
{
	struct net_device *dev = q->adapter->dev;
	struct sk_buff *msg;
	void *hdr;

	msg = vmq_ntf_start(dev, VMQ_CMD_QUEUE_NTF, &hdr);
	if (msg)
		vmq_ntf_end(dev, msg, hdr, vmq_fill_queue(msg, q));
}

/**
 * vmq_notify_filter() - says that a filter was set, moved or cleared
 * @a: the adapter
 * @f: the filter
 * @event: "new", "move" or "del"
 *
 * Context: Process context, adapter->lock held.
 */
void vmq_notify_filter(struct vmq_adapter *a, const struct vmq_filter *f,
		       const char *event)
{
	struct sk_buff *msg;
	void *hdr;

	msg = vmq_ntf_start(a->dev, VMQ_CMD_FILTER_NTF, &hdr);
	if (msg)
		vmq_ntf_end(a->dev, msg, hdr, vmq_fill_filter(msg, a, f, event));
}

/**
 * vmq_notify_port() - says that a port or its migration state changed
 * @port: the port
 *
 * Context: Process context, rtnl held or the port kept alive by its session.
 */
void vmq_notify_port(struct vmq_port *port)
{
	struct sk_buff *msg;
	void *hdr;

	msg = vmq_ntf_start(port->dev, VMQ_CMD_PORT_NTF, &hdr);
	if (msg)
		vmq_ntf_end(port->dev, msg, hdr, vmq_fill_port(msg, port));
}

/**
 * vmq_notify_unclaimed() - says that nobody owns a restored record (SR-35)
 * @port: the port
 * @ext: who wrote it
 * @class: its feature class
 * @length: its data, in bytes
 *
 * Context: Process context, rtnl held.
 */
void vmq_notify_unclaimed(struct vmq_port *port, const uuid_t *ext,
			  const uuid_t *class, u32 length)
{
	struct sk_buff *msg;
	void *hdr;

	msg = vmq_ntf_start(port->dev, VMQ_CMD_RECORD_UNCLAIMED_NTF, &hdr);
	if (msg)
		vmq_ntf_end(port->dev, msg, hdr,
			    vmq_fill_record(msg, port, ext, class, length));
}
