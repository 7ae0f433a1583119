// SPDX-License-Identifier: GPL-2.0
/*
 * The character device of a port, /dev/tap<ifindex>: the file, its ring and
 * vhost's socket are tap.ko's; this is the glue to the port.
 *
 * tap.ko finds its struct tap_dev through the rx_handler_data of the port's
 * netdev. The handler is there from the first open on, and stays: until then the
 * port is a netdev as any, for a bridge or macvlan too. An open file holds our
 * module by the cdev, so the module can't be unloaded while a guest has a port
 * open.
 */
#include <linux/cdev.h>
#include <linux/device/class.h>
#include <linux/fs.h>

#include "gate_port.h"
#include "policy.h"
#include "port_tap.h"

#define VMQ_TAP_OFFLOADS	(NETIF_F_HW_CSUM | NETIF_F_TSO_ECN | \
				 NETIF_F_TSO | NETIF_F_TSO6)

static dev_t vmq_tap_major;
static struct cdev vmq_tap_cdev;
static const struct file_operations *vmq_tap_fops;
static DEFINE_XARRAY(vmq_tap_ports);	/* minor -> struct vmq_port */

DEFINE_STATIC_KEY_FALSE(vmq_tap_key);

/* ---- the file ---- */

static rx_handler_result_t vmq_tap_rx(struct sk_buff **pskb);

/* The port of a device node becomes its guest's. */
static int vmq_tap_claim(unsigned int minor, bool *first)
{
	struct vmq_port *port;
	int err = 0;

	rtnl_lock();
	port = vmq_tap_port(minor);
	if (!port || port->deleted) {
		err = -ENODEV;
	} else if (!port->claimed) {
		/* refused while it is in a bridge or the like */
		err = netdev_rx_handler_register(port->dev, vmq_tap_rx,
						 &port->tap);
		if (!err) {
			static_branch_enable(&vmq_tap_key);
			/* without memory it has all multicast frames */
			vmq_mcast_port_add(&port->adapter->mcast, &port->mcast);
			WRITE_ONCE(port->claimed, true);
			vmq_port_say(port);
		}
		*first = !err;
	}
	/* no reader was there: this is another guest */
	if (!err && !port->tap.numqueues)
		vmq_mcast_arrive(port);
	rtnl_unlock();
	return err;
}

static void vmq_tap_disclaim(unsigned int minor)
{
	struct vmq_port *port;

	rtnl_lock();
	port = vmq_tap_port(minor);
	/* somebody else may have opened it meanwhile */
	if (port && port->claimed && !port->tap.numqueues) {
		WRITE_ONCE(port->claimed, false);
		vmq_port_say(port);
		netdev_rx_handler_unregister(port->dev);
	}
	rtnl_unlock();
}

/*
 * A port whose tap was opened once belongs to its guest, and tap.ko does not
 * tell us of an open: so the open comes here first, and the file is tap.ko's
 * from then on, as vhost-net insists.
 */
static int vmq_tap_open(struct inode *inode, struct file *file)
{
	const struct file_operations *fops;
	bool first = false;
	int err;

	err = vmq_tap_claim(iminor(inode), &first);
	if (err)
		return err;
	err = -ENODEV;
	fops = fops_get(vmq_tap_fops);
	if (fops) {
		replace_fops(file, fops);
		err = file->f_op->open(inode, file);
	}
	if (err && first)
		vmq_tap_disclaim(iminor(inode));
	return err;
}

static const struct file_operations vmq_tap_open_fops = {
	.owner = THIS_MODULE,
	.open = vmq_tap_open,
};

/* ---- the port's side ---- */

static void vmq_tap_count_tx_dropped(struct tap_dev *tap)
{
	struct vmq_port *port = container_of(tap, struct vmq_port, tap);

	/* from a system call, where a softirq may count too */
	local_bh_disable();
	vmq_stats_tx_drop(port->stats[0], false);
	local_bh_enable();
}

static void vmq_tap_count_rx_dropped(struct tap_dev *tap)
{
	struct vmq_port *port = container_of(tap, struct vmq_port, tap);

	local_bh_disable();
	vmq_stats_drop(port->stats[0], VMQ_DROP_FULL);
	vmq_stats_drop(vmq_port_queue(port)->stats, VMQ_DROP_FULL);
	local_bh_enable();
}

static void vmq_tap_update_features(struct tap_dev *tap,
				    netdev_features_t features)
{
	/* what the guest can't take, tap.ko segments: see tap_features */
}

static rx_handler_result_t vmq_tap_rx(struct sk_buff **pskb)
{
	struct vmq_port *port = vmq_port_priv((*pskb)->dev);
	rx_handler_result_t result;
	struct sk_buff *skb;

	/* who listens on the netdev may still have it */
	skb = skb_share_check(*pskb, GFP_ATOMIC);
	if (unlikely(!skb)) {
		vmq_stats_drop(port->stats[0], VMQ_DROP_NOMEM);
		vmq_stats_drop(vmq_port_queue(port)->stats, VMQ_DROP_NOMEM);
		return RX_HANDLER_CONSUMED;
	}
	*pskb = skb;
	if (unlikely(vmq_gate_rx_late(port, skb)))
		return RX_HANDLER_CONSUMED;
	/* a guest that does not read must not hold what a sender needs back */
	skb_orphan(skb);
	nf_reset_ct(skb);
	vmq_stray_mark(&port->stray, port->tap.minor, skb);
	result = tap_handle_frame(pskb);
	if (result != RX_HANDLER_PASS)
		return result;
	/* the guest just went away */
	vmq_stats_drop(port->stats[0], VMQ_DROP_READER);
	vmq_stats_drop(vmq_port_queue(port)->stats, VMQ_DROP_READER);
	kfree_skb_reason(*pskb, SKB_DROP_REASON_DEV_READY);
	return RX_HANDLER_CONSUMED;
}

/**
 * vmq_tap_rx_any() - gives a frame to a tap that has work to do with it
 * @skb: the frame, as vmq_queue_rx() leaves it
 *
 * Context: RCU read side, BH off.
 */
void vmq_tap_rx_any(struct sk_buff *skb)
{
	vmq_tap_rx(&skb);
}

/**
 * vmq_tap_full() - counts and frees a frame that found the ring full
 * @port: the port
 * @skb: the frame
 *
 * Context: RCU read side, BH off.
 */
void vmq_tap_full(struct vmq_port *port, struct sk_buff *skb)
{
	vmq_tap_count_rx_dropped(&port->tap);
	kfree_skb_reason(skb, SKB_DROP_REASON_FULL_RING);
}

/**
 * vmq_tap_attach() - prepares a port for its character device
 * @port: the port, its netdev about to be registered
 *
 * Context: Process context, rtnl held.
 */
void vmq_tap_attach(struct vmq_port *port)
{
	port->tap.dev = port->dev;
	INIT_LIST_HEAD(&port->tap.queue_list);
	port->tap.tap_features = VMQ_TAP_OFFLOADS;
	port->tap.count_tx_dropped = vmq_tap_count_tx_dropped;
	port->tap.count_rx_dropped = vmq_tap_count_rx_dropped;
	port->tap.update_features = vmq_tap_update_features;
}

/**
 * vmq_tap_detach() - undoes vmq_tap_attach() and cuts open files off
 * @port: the port, its netdev about to go
 *
 * Context: Process context, rtnl held.
 */
void vmq_tap_detach(struct vmq_port *port)
{
	if (port->claimed)
		netdev_rx_handler_unregister(port->dev);
	tap_del_queues(&port->tap);
}

/**
 * vmq_tap_has_room() - can the guest be given another frame?
 * @port: the port
 *
 * Context: RCU read side, BH off.
 * Return: false if one of its rings is full, whichever a frame would go to.
 */
bool vmq_tap_has_room(struct vmq_port *port)
{
	struct tap_queue *tq;
	int i;

	for (i = 0; i < min(READ_ONCE(port->tap.numvtaps), MAX_TAP_QUEUES);
	     i++) {
		tq = rcu_dereference(port->tap.taps[i]);
		if (tq && ptr_ring_full(&tq->ring))
			return false;
	}
	return true;
}

/* Makes a frame of the ring one that was received, but not delivered. */
static void vmq_tap_taken(struct vmq_port *port, struct sk_buff *skb, u16 index)
{
	vmq_stray_unmark(skb);
	skb_reset_mac_header(skb);
	__skb_pull(skb, ETH_HLEN);
	vmq_policy_undo_rx(port, skb);
	*vmq_gate_cb(skb) = (struct vmq_gate_cb) {
		.index = index,
		.counted = true,
	};
}

/**
 * vmq_tap_take() - takes away what the guest has not got yet
 * @port: the port
 * @list: gets the frames as they were on the wire, data at the network header
 *
 * Context: Process context, rtnl held; no frame is on its way to the guest.
 * Return: frames that there was no memory for.
 */
u32 vmq_tap_take(struct vmq_port *port, struct sk_buff_head *list)
{
	struct tap_queue *tq;
	struct sk_buff *skb;
	u32 lost;

	ASSERT_RTNL();
	/* read before all that is in the ring */
	lost = vmq_stray_take(&port->stray, list);
	skb_queue_walk(list, skb)
		vmq_tap_taken(port, skb, 0);
	list_for_each_entry(tq, &port->tap.queue_list, next) {
		while ((skb = ptr_ring_consume_bh(&tq->ring))) {
			vmq_tap_taken(port, skb, tq->queue_index);
			__skb_queue_tail(list, skb);
		}
	}
	return lost;
}

/**
 * vmq_tap_port() - the port of a character device
 * @minor: of the device
 *
 * Context: Any, RCU read side or rtnl held.
 * Return: the port or NULL.
 */
struct vmq_port *vmq_tap_port(u32 minor)
{
	return xa_load(&vmq_tap_ports, minor);
}

/* ---- the device node ---- */

#ifdef VMQ_HAVE_CLASS_NS_COMMON
static const struct ns_common *vmq_tap_namespace(const struct device *d)
{
	return to_ns_common(dev_net(to_net_dev(d->parent)));
}
#else
static const void *vmq_tap_namespace(const struct device *d)
{
	return dev_net(to_net_dev(d->parent));
}
#endif

static struct class vmq_tap_class = {
	.name = "vmqtap",
	.ns_type = &net_ns_type_operations,
	.namespace = vmq_tap_namespace,
};

/**
 * vmq_tap_make_node() - makes the device node of a port
 * @port: the port, its netdev just registered, or moved to another netns
 *
 * Context: Process context, rtnl held.
 * Return: 0 or a negative errno.
 */
int vmq_tap_make_node(struct vmq_port *port)
{
	struct net_device *dev = port->dev;
	struct device *node;
	char name[IFNAMSIZ];
	dev_t devt;
	int err;

	snprintf(name, sizeof(name), "tap%d", dev->ifindex);
	err = tap_get_minor(vmq_tap_major, &port->tap);
	if (err)
		return err;
	err = xa_err(xa_store(&vmq_tap_ports, port->tap.minor, port,
			      GFP_KERNEL));
	if (err)
		goto err_minor;
	devt = MKDEV(MAJOR(vmq_tap_major), port->tap.minor);
	node = device_create(&vmq_tap_class, &dev->dev, devt, dev, "%s", name);
	if (IS_ERR(node)) {
		err = PTR_ERR(node);
		goto err_port;
	}
	err = sysfs_create_link(&dev->dev.kobj, &node->kobj, name);
	if (err)
		goto err_node;
	port->tap_ifindex = dev->ifindex;
	return 0;

err_node:
	device_destroy(&vmq_tap_class, devt);
err_port:
	xa_erase(&vmq_tap_ports, port->tap.minor);
err_minor:
	tap_free_minor(vmq_tap_major, &port->tap);
	return err;
}

/**
 * vmq_tap_remove_node() - removes the device node of a port, if it has one
 * @port: the port, its netdev about to go or to move
 *
 * Context: Process context, rtnl held.
 */
void vmq_tap_remove_node(struct vmq_port *port)
{
	char name[IFNAMSIZ];

	if (!port->tap_ifindex)
		return;
	snprintf(name, sizeof(name), "tap%d", port->tap_ifindex);
	port->tap_ifindex = 0;
	sysfs_remove_link(&port->dev->dev.kobj, name);
	device_destroy(&vmq_tap_class,
		       MKDEV(MAJOR(vmq_tap_major), port->tap.minor));
	xa_erase(&vmq_tap_ports, port->tap.minor);
	tap_free_minor(vmq_tap_major, &port->tap);
}

/**
 * vmq_tap_init() - registers character devices and their class
 *
 * Context: Module init.
 * Return: 0 or a negative errno.
 */
int __init vmq_tap_init(void)
{
	int err;

	err = tap_create_cdev(&vmq_tap_cdev, &vmq_tap_major, "vmqtap",
			      THIS_MODULE);
	if (err)
		return err;
	/* no port has a minor yet, so nothing can be opened in between */
	vmq_tap_fops = vmq_tap_cdev.ops;
	vmq_tap_cdev.ops = &vmq_tap_open_fops;

	err = class_register(&vmq_tap_class);
	if (err)
		tap_destroy_cdev(vmq_tap_major, &vmq_tap_cdev);
	return err;
}

/**
 * vmq_tap_exit() - undoes vmq_tap_init()
 *
 * Context: Module exit, no port left.
 */
void vmq_tap_exit(void)
{
	class_unregister(&vmq_tap_class);
	tap_destroy_cdev(vmq_tap_major, &vmq_tap_cdev);
	/* marked frames look ports up there */
	vmq_stray_exit();
	xa_destroy(&vmq_tap_ports);
}
