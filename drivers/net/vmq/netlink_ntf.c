// SPDX-License-Identifier: GPL-2.0
/*
 * Generic netlink notifications, group "events". A listener that misses one asks
 * again; so the lack of memory for one is nothing to fail for.
 */
#include "netlink.h"

struct vmq_ntf {
	struct net *net;
	struct sk_buff *msg;
	void *hdr;
};

/*
 * The netns of a device, held: where a session's descriptor is read or written
 * there is no rtnl to keep the device from moving on.
 */
static struct net *vmq_ntf_net(const struct net_device *dev)
{
	struct net *net;

	rcu_read_lock();
	net = maybe_get_net(dev_net(dev));
	rcu_read_unlock();
	return net;
}

static bool vmq_ntf_start(struct vmq_ntf *ntf, const struct net_device *dev,
			  u8 cmd)
{
	ntf->net = vmq_ntf_net(dev);
	if (!ntf->net)
		return false;
	if (!genl_has_listeners(&vmq_nl_family, ntf->net, VMQ_NLGRP_EVENTS))
		goto put;
	ntf->msg = genlmsg_new(VMQ_NL_ROOM, GFP_KERNEL);
	if (!ntf->msg)
		goto put;
	ntf->hdr = genlmsg_put(ntf->msg, 0, 0, &vmq_nl_family, 0, cmd);
	if (ntf->hdr)
		return true;
	nlmsg_free(ntf->msg);
put:
	put_net(ntf->net);
	return false;
}

static void vmq_ntf_end(struct vmq_ntf *ntf, int err)
{
	if (err) {
		nlmsg_free(ntf->msg);
	} else {
		genlmsg_end(ntf->msg, ntf->hdr);
		genlmsg_multicast_netns(&vmq_nl_family, ntf->net, ntf->msg, 0,
					VMQ_NLGRP_EVENTS, GFP_KERNEL);
	}
	put_net(ntf->net);
}

/* An adapter's capabilities changed (K-06). */
static void vmq_notify_adapter(struct vmq_adapter *a)
{
	struct vmq_ntf ntf;

	if (vmq_ntf_start(&ntf, a->dev, VMQ_CMD_ADAPTER_NTF))
		vmq_ntf_end(&ntf, vmq_fill_adapter(ntf.msg, a));
}

/* Most changes of features are none of a capability. */
static int vmq_ntf_event(struct notifier_block *nb, unsigned long event,
			 void *ptr)
{
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);
	struct vmq_adapter *a;
	u32 caps;

	if (!vmq_is_adapter(dev))
		return NOTIFY_DONE;
	if (event != NETDEV_FEAT_CHANGE && event != NETDEV_REGISTER)
		return NOTIFY_DONE;
	a = vmq_adapter_priv(dev);
	caps = vmq_adapter_caps(a);
	if (event == NETDEV_FEAT_CHANGE && caps != a->told_caps)
		vmq_notify_adapter(a);
	a->told_caps = caps;
	return NOTIFY_DONE;
}

static struct notifier_block vmq_ntf_notifier = {
	.notifier_call = vmq_ntf_event,
};

/**
 * vmq_ntf_init() - listens to what adapters switch on and off
 *
 * Context: Module init, the family is registered.
 * Return: 0 or a negative errno.
 */
int __init vmq_ntf_init(void)
{
	return register_netdevice_notifier(&vmq_ntf_notifier);
}

/**
 * vmq_ntf_exit() - stops listening
 *
 * Context: Module exit, no adapter left.
 */
void vmq_ntf_exit(void)
{
	unregister_netdevice_notifier(&vmq_ntf_notifier);
}

/**
 * vmq_notify_queue() - says that a queue's DMA stopped
 * @q: the queue
 *
 * Context: Process context, adapter->lock held.
 */
void vmq_notify_queue(struct vmq_queue *q)
{
	struct vmq_ntf ntf;

	if (vmq_ntf_start(&ntf, q->adapter->dev, VMQ_CMD_QUEUE_NTF))
		vmq_ntf_end(&ntf, vmq_fill_queue(ntf.msg, q));
}

/**
 * vmq_notify_filter() - says that a filter was set, moved or cleared
 * @a: the adapter
 * @f: the filter
 * @event: "new", "move", "del" or "rung"
 *
 * Context: Process context, rtnl and adapter->lock held.
 */
void vmq_notify_filter(struct vmq_adapter *a, const struct vmq_filter *f,
		       const char *event)
{
	struct vmq_ntf ntf;

	if (vmq_ntf_start(&ntf, a->dev, VMQ_CMD_FILTER_NTF))
		vmq_ntf_end(&ntf, vmq_fill_filter(ntf.msg, a, f, event));
}

/**
 * vmq_notify_port() - says that a port or its migration state changed
 * @port: the port
 *
 * Context: Process context, rtnl held or the port kept alive by its session.
 */
void vmq_notify_port(struct vmq_port *port)
{
	struct vmq_ntf ntf;

	if (vmq_ntf_start(&ntf, port->dev, VMQ_CMD_PORT_NTF))
		vmq_ntf_end(&ntf, vmq_fill_port(ntf.msg, port));
}

static void vmq_notify_step_in(struct vmq_port *port, u32 step,
			       const struct net_device *where)
{
	struct vmq_ntf ntf;

	if (vmq_ntf_start(&ntf, where, VMQ_CMD_PORT_NTF))
		vmq_ntf_end(&ntf, vmq_fill_port(ntf.msg, port) ?:
				  nla_put_u32(ntf.msg, VMQ_A_PORT_PATH_STEP,
					      step));
}

/**
 * vmq_notify_step() - says that a step to another data path was taken
 * @port: the port
 * @step: of &enum vmq_path_step
 *
 * Where the port is its guest's, the adapter's network namespace hears of it too.
 *
 * Context: Process context, rtnl held.
 */
void vmq_notify_step(struct vmq_port *port, u32 step)
{
	const struct net_device *adapter = port->adapter->dev;

	vmq_notify_step_in(port, step, port->dev);
	if (!net_eq(dev_net(port->dev), dev_net(adapter)))
		vmq_notify_step_in(port, step, adapter);
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
	struct vmq_ntf ntf;

	if (vmq_ntf_start(&ntf, port->dev, VMQ_CMD_RECORD_UNCLAIMED_NTF))
		vmq_ntf_end(&ntf, vmq_fill_record(ntf.msg, port, ext, class,
						  length));
}
