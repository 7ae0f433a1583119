// SPDX-License-Identifier: GPL-2.0
/*
 * An extension that forwards, for selftests: it lets all frames pass, counts them,
 * takes the ports that it is on off their VFs while its parameter hold is 1, and
 * lets nobody set a property of them while refuse is 1.
 */
#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <net/vmq.h>

struct fwd_port {
	struct vmq_ext_port *ep;
	struct list_head node;		/* in fwd_ports */
};

static LIST_HEAD(fwd_ports);		/* rtnl */
static atomic_t fwd_frames = ATOMIC_INIT(0);
static bool fwd_hold;			/* rtnl */
static bool fwd_refuse;

static enum vmq_verdict fwd_frame(struct vmq_ext_port *ep, struct sk_buff *skb,
				  enum vmq_dir dir)
{
	atomic_inc(&fwd_frames);
	return VMQ_PASS;
}

static int fwd_attach(struct vmq_ext_port *ep, struct netlink_ext_ack *extack)
{
	struct fwd_port *p = kzalloc(sizeof(*p), GFP_KERNEL);

	if (!p)
		return -ENOMEM;
	p->ep = ep;
	ep->priv = p;
	list_add_tail(&p->node, &fwd_ports);
	return vmq_ext_hold_path(ep, fwd_hold);
}

static void fwd_detach(struct vmq_ext_port *ep)
{
	struct fwd_port *p = ep->priv;

	list_del(&p->node);
	kfree(p);
}

static int fwd_property_set(struct vmq_ext_port *ep,
			    const struct vmq_property *prop,
			    struct netlink_ext_ack *extack)
{
	return READ_ONCE(fwd_refuse) ? -EPERM : 0;
}

static const struct vmq_ext_ops fwd_ops = {
	.owner = THIS_MODULE,
	.name = "fwd",
	.uuid = UUID_INIT(0x0f5b1d4c, 0x6d0e, 0x4a57,
			  0x9d, 0x0b, 0x5a, 0x34, 0x11, 0xc0, 0xff, 0x34),
	.class = VMQ_EXT_CLASS_FORWARD,
	.data_version = 1,
	.attach = fwd_attach,
	.detach = fwd_detach,
	.property_set = fwd_property_set,
	.frame = fwd_frame,
};

static int fwd_hold_set(const char *value, const struct kernel_param *kp)
{
	struct fwd_port *p;
	bool hold;
	int err;

	err = kstrtobool(value, &hold);
	if (err)
		return err;
	rtnl_lock();
	fwd_hold = hold;
	list_for_each_entry(p, &fwd_ports, node)
		vmq_ext_hold_path(p->ep, hold);
	rtnl_unlock();
	return 0;
}

static const struct kernel_param_ops fwd_hold_ops = {
	.set = fwd_hold_set,
	.get = param_get_bool,
};

module_param_cb(hold, &fwd_hold_ops, &fwd_hold, 0644);
MODULE_PARM_DESC(hold, "keep ports off their VFs");
module_param_named(refuse, fwd_refuse, bool, 0644);
MODULE_PARM_DESC(refuse, "refuse to set properties of ports");
module_param_named(frames, fwd_frames.counter, int, 0444);
MODULE_PARM_DESC(frames, "frames seen");

static int __init fwd_init(void)
{
	return vmq_ext_register(&fwd_ops);
}
module_init(fwd_init);

static void __exit fwd_exit(void)
{
	vmq_ext_unregister(&fwd_ops);
}
module_exit(fwd_exit);

MODULE_DESCRIPTION("vmq extension that forwards, for tests");
MODULE_LICENSE("GPL");
