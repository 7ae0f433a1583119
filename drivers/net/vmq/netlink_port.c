// SPDX-License-Identifier: GPL-2.0
/*
 * Generic netlink: port-get, and port-set with what can be changed of a port.
 */
#include "gate_port.h"
#include "netlink.h"
#include "policy.h"

/* ---- port-get ---- */

static int vmq_get_port(struct sk_buff *msg, const struct genl_info *info)
{
	struct vmq_port *port = vmq_nl_port(info);

	return IS_ERR(port) ? PTR_ERR(port) : vmq_fill_port(msg, port);
}

/**
 * vmq_nl_port_get_doit() - port-get of one port
 * @skb: the request
 * @info: the request, parsed
 *
 * Context: Process context.
 * Return: 0 or a negative errno, with a message in extack.
 */
int vmq_nl_port_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	return vmq_nl_get(info, vmq_get_port);
}

/*
 * A port is seen in the netns where it is, its adapter's or another. By ifindex, so
 * that ports may come and go between two messages, and the next one is found at once.
 */
static int vmq_dump_ports(struct sk_buff *skb, struct netlink_callback *cb,
			  struct vmq_adapter *a, unsigned long *pos)
{
	unsigned long ifindex = *pos;
	struct net_device *dev;
	struct vmq_port *port;
	void *hdr;
	int err;

	for_each_netdev_dump(sock_net(skb->sk), dev, ifindex) {
		if (!vmq_is_port(dev))
			continue;
		port = vmq_port_priv(dev);
		if (port->adapter != a || port->deleted)
			continue;
		*pos = ifindex;
		hdr = vmq_dump_start(skb, cb, VMQ_CMD_PORT_GET);
		err = hdr ? vmq_fill_port(skb, port) : -EMSGSIZE;
		err = vmq_dump_end(skb, hdr, err);
		if (err)
			return err;
	}
	return 0;
}

/**
 * vmq_nl_port_get_dumpit() - port-get of all ports of the netns, or one adapter's
 * @skb: the answer
 * @cb: state of the dump
 *
 * Context: Process context.
 * Return: bytes of the answer, 0 at the end, or a negative errno.
 */
int vmq_nl_port_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return vmq_nl_dump_all(skb, cb, vmq_dump_ports);
}

/* ---- port-set ---- */

/* What port-set was asked for, looked at and ready to be applied. */
struct vmq_port_change {
	uuid_t uuid;
	u8 gate;
	u32 hold_frames;
	u32 hold_bytes;
	struct net_device *redirect;
	u32 announce_count;
	u32 announce_interval;
	const struct genl_info *info;
	struct vmq_path_request path;
	struct vmq_policy *policy;	/* NULL: not asked for */
};

static int vmq_port_uuid_check(struct vmq_port *port, const struct nlattr *attr,
			       struct vmq_port_change *change,
			       struct netlink_ext_ack *extack)
{
	return vmq_nl_uuid(attr, &change->uuid, extack);
}

static void vmq_port_uuid_apply(struct vmq_port *port,
				struct vmq_port_change *change)
{
	uuid_copy(&port->uuid, &change->uuid);
}

static int vmq_port_gate_check(struct vmq_port *port, const struct nlattr *attr,
			       struct vmq_port_change *change,
			       struct netlink_ext_ack *extack)
{
	change->gate = nla_get_u32(attr);
	return 0;
}

static void vmq_port_gate_apply(struct vmq_port *port,
				struct vmq_port_change *change)
{
	vmq_port_gate_set(port, change->gate);
}

static int vmq_port_hold_check(struct vmq_port *port,
			       const struct nlattr *attr,
			       struct vmq_port_change *change,
			       struct netlink_ext_ack *extack)
{
	if (nla_type(attr) == VMQ_A_PORT_HOLD_FRAMES)
		change->hold_frames = nla_get_u32(attr);
	else
		change->hold_bytes = nla_get_u32(attr);
	return 0;
}

static void vmq_port_hold_apply(struct vmq_port *port,
				struct vmq_port_change *change)
{
	vmq_gate_limit(&port->gate, change->hold_frames, change->hold_bytes);
}

/* The device is in the netns of the request, which is that of the port. */
static int vmq_port_redirect_attr(struct vmq_port *port,
				  const struct nlattr *attr,
				  struct vmq_port_change *change,
				  struct netlink_ext_ack *extack)
{
	struct net_device *dev;

	if (!*(const char *)nla_data(attr))
		return 0;
	dev = __dev_get_by_name(dev_net(port->dev), nla_data(attr));
	if (!dev) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "no such device");
		return -ENODEV;
	}
	change->redirect = dev;
	return vmq_port_redirect_check(port, dev, extack);
}

static void vmq_port_redirect_apply(struct vmq_port *port,
				    struct vmq_port_change *change)
{
	/* what waits at a gate that opens is not for the new place */
	if (change->info->attrs[VMQ_A_PORT_GATE] &&
	    change->gate == VMQ_PORT_GATE_OPEN)
		vmq_port_gate_apply(port, change);
	vmq_port_redirect_set(port, change->redirect);
}

static int vmq_port_announce_check(struct vmq_port *port,
				   const struct nlattr *attr,
				   struct vmq_port_change *change,
				   struct netlink_ext_ack *extack)
{
	if (nla_type(attr) == VMQ_A_PORT_ANNOUNCE_COUNT)
		change->announce_count = nla_get_u32(attr);
	else
		change->announce_interval = nla_get_u32(attr);
	return 0;
}

static void vmq_port_announce_count(struct vmq_port *port,
				    struct vmq_port_change *change)
{
	vmq_announce_set(port, change->announce_count, VMQ_ANNOUNCE_SAME);
}

static void vmq_port_announce_interval(struct vmq_port *port,
				       struct vmq_port_change *change)
{
	vmq_announce_set(port, VMQ_ANNOUNCE_SAME, change->announce_interval);
}

/* The attributes of a path make sense together only. */
static int vmq_port_path_check(struct vmq_port *port,
			       const struct nlattr *attr,
			       struct vmq_port_change *change,
			       struct netlink_ext_ack *extack)
{
	struct nlattr **attrs = change->info->attrs;
	struct vmq_path_request *req = &change->path;

	req->policy = nla_get_u32(attr);
	req->want = VMQ_PATH_ANY_VF;
	req->uplink = attrs[VMQ_A_PORT_VF_UPLINK];
	if (attrs[VMQ_A_PORT_VF]) {
		req->want = nla_get_u32(attrs[VMQ_A_PORT_VF]);
		if (req->want == VMQ_PATH_ANY_VF) {
			NL_SET_ERR_MSG_ATTR(extack, attrs[VMQ_A_PORT_VF],
					    "there is no such VF");
			return -ENOENT;
		}
	}
	return vmq_path_prepare(port, req, extack);
}

static void vmq_port_path_apply(struct vmq_port *port,
				struct vmq_port_change *change)
{
	vmq_path_apply(port, &change->path);
}

static void vmq_port_path_drop(struct vmq_port_change *change)
{
	vmq_path_drop(&change->path);
}

static int vmq_port_path_more(struct vmq_port *port, const struct nlattr *attr,
			      struct vmq_port_change *change,
			      struct netlink_ext_ack *extack)
{
	if (change->info->attrs[VMQ_A_PORT_PATH_POLICY])
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, attr, "a VF without path-policy");
	return -EINVAL;
}

static void vmq_port_path_with(struct vmq_port *port,
			       struct vmq_port_change *change)
{
	/* with path-policy */
}

/* The policy that the port will have: at first the one that it has. */
static struct vmq_policy *vmq_port_policy(struct vmq_port *port,
					  struct vmq_port_change *change)
{
	if (change->policy)
		return change->policy;
	change->policy = kmalloc(sizeof(*change->policy), GFP_KERNEL);
	if (change->policy)
		vmq_policy_get(port, change->policy);
	return change->policy;
}

static int vmq_port_policy_check(struct vmq_port *port,
				 const struct nlattr *attr,
				 struct vmq_port_change *change,
				 struct netlink_ext_ack *extack)
{
	struct vmq_policy *p = vmq_port_policy(port, change);

	if (!p)
		return -ENOMEM;
	switch (nla_type(attr)) {
	case VMQ_A_PORT_VLAN:
		p->pvid = nla_get_u16(attr);
		return 0;
	case VMQ_A_PORT_ISOLATE:
		p->isolate = nla_get_u8(attr);
		return 0;
	case VMQ_A_PORT_SPOOFCHK:
		p->spoofchk = nla_get_u8(attr);
		return 0;
	}
	if (!vmq_policy_parse_trunk(p, nla_data(attr)))
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, attr,
			    "a trunk is a list of VLAN ids, such as 1-10,20");
	return -EINVAL;
}

/* All attributes of it are known: the one step that can fail when it is done. */
static int vmq_port_policy_commit(struct vmq_port *port,
				  const struct vmq_port_change *change,
				  struct netlink_ext_ack *extack)
{
	bool path = change->info->attrs[VMQ_A_PORT_PATH_POLICY];
	const struct vmq_policy *p = change->policy ?:
				     rtnl_dereference(port->policy);
	int err;

	err = vmq_path_follows(path ? change->path.uplink :
				      vmq_path_wants_uplink(port), p, extack);
	if (err || !change->policy)
		return err;
	err = vmq_policy_check(p, extack);
	return err ?: vmq_policy_set(port, p, extack);
}

/*
 * One row for each attribute that port-set takes. All that are in the request are
 * checked before the first is applied: check() has the result in the change, with
 * all memory that it takes; apply() can't fail; drop(), if there is one, frees
 * what check() left there, applied or not. The policy has no apply(): it is put
 * in place as a whole before the others are applied.
 */
static const struct vmq_port_knob {
	u16 attr;
	int (*check)(struct vmq_port *port, const struct nlattr *attr,
		     struct vmq_port_change *change,
		     struct netlink_ext_ack *extack);
	void (*apply)(struct vmq_port *port,
		      struct vmq_port_change *change);
	void (*drop)(struct vmq_port_change *change);
} vmq_port_knobs[] = {
	{
		.attr = VMQ_A_PORT_UUID,
		.check = vmq_port_uuid_check,
		.apply = vmq_port_uuid_apply,
	},
	{
		.attr = VMQ_A_PORT_HOLD_FRAMES,
		.check = vmq_port_hold_check,
		.apply = vmq_port_hold_apply,
	},
	{
		.attr = VMQ_A_PORT_HOLD_BYTES,
		.check = vmq_port_hold_check,
		.apply = vmq_port_hold_apply,
	},
	{
		.attr = VMQ_A_PORT_REDIRECT,
		.check = vmq_port_redirect_attr,
		.apply = vmq_port_redirect_apply,
	},
	{
		.attr = VMQ_A_PORT_ANNOUNCE_COUNT,
		.check = vmq_port_announce_check,
		.apply = vmq_port_announce_count,
	},
	{
		.attr = VMQ_A_PORT_ANNOUNCE_INTERVAL,
		.check = vmq_port_announce_check,
		.apply = vmq_port_announce_interval,
	},
	{
		.attr = VMQ_A_PORT_GATE,
		.check = vmq_port_gate_check,
		.apply = vmq_port_gate_apply,
	},
	{ .attr = VMQ_A_PORT_VLAN, .check = vmq_port_policy_check },
	{ .attr = VMQ_A_PORT_TRUNK, .check = vmq_port_policy_check },
	{ .attr = VMQ_A_PORT_ISOLATE, .check = vmq_port_policy_check },
	{ .attr = VMQ_A_PORT_SPOOFCHK, .check = vmq_port_policy_check },
	{
		.attr = VMQ_A_PORT_VF,
		.check = vmq_port_path_more,
		.apply = vmq_port_path_with,
	},
	{
		.attr = VMQ_A_PORT_VF_UPLINK,
		.check = vmq_port_path_more,
		.apply = vmq_port_path_with,
	},
	{
		/* the last one, as its steps are announced at once */
		.attr = VMQ_A_PORT_PATH_POLICY,
		.check = vmq_port_path_check,
		.apply = vmq_port_path_apply,
		.drop = vmq_port_path_drop,
	},
};

/* What the request changes, for extensions; -> how many properties. */
static unsigned int vmq_port_properties(const struct genl_info *info,
					struct vmq_property *props)
{
	unsigned int i, n = 0;

	for (i = 0; i < ARRAY_SIZE(vmq_port_knobs); i++) {
		const struct nlattr *attr = info->attrs[vmq_port_knobs[i].attr];

		if (!attr)
			continue;
		/* who gives a VF back is not refused */
		if (nla_type(attr) == VMQ_A_PORT_PATH_POLICY &&
		    nla_get_u32(attr) == VMQ_PORT_PATH_POLICY_SYNTHETIC)
			continue;
		props[n++] = (struct vmq_property){
			.kind = VMQ_PROPERTY_PORT,
			.type = nla_type(attr),
			.value = attr,
		};
	}
	return n;
}

static int vmq_port_change(struct vmq_port *port, const struct genl_info *info)
{
	const unsigned int n = ARRAY_SIZE(vmq_port_knobs);
	struct vmq_property props[ARRAY_SIZE(vmq_port_knobs)];
	struct vmq_port_change change = { .info = info };
	const struct vmq_port_knob *knob;
	unsigned int i, n_props;
	bool any = false;
	int err = 0;

	if (vmq_session_runs(port)) {
		NL_SET_ERR_MSG(info->extack, "a save or restore of the port runs");
		return -EBUSY;
	}
	for (i = 0; i < n && !err; i++) {
		knob = &vmq_port_knobs[i];
		if (!info->attrs[knob->attr])
			continue;
		any = true;
		err = knob->check(port, info->attrs[knob->attr], &change,
				  info->extack);
	}
	if (!err && !any) {
		NL_SET_ERR_MSG(info->extack, "nothing to change is given");
		err = -EINVAL;
	}
	n_props = vmq_port_properties(info, props);
	if (!err)
		err = vmq_ext_property_set(port, props, n_props, info->extack);
	if (!err) {
		err = vmq_port_policy_commit(port, &change, info->extack);
		if (err)
			vmq_ext_property_undo(port, props, n_props);
	}
	for (i = 0; i < n && !err; i++)
		if (info->attrs[vmq_port_knobs[i].attr] &&
		    vmq_port_knobs[i].apply)
			vmq_port_knobs[i].apply(port, &change);
	kfree(change.policy);
	for (i = 0; i < n; i++)
		if (vmq_port_knobs[i].drop)
			vmq_port_knobs[i].drop(&change);
	if (!err)
		vmq_notify_port(port);
	return err;
}

/**
 * vmq_nl_port_set_doit() - port-set: all of the given attributes, or none
 * @skb: the request
 * @info: the request, parsed
 *
 * Context: Process context.
 * Return: 0; -EINVAL for a value that is no good, -EBUSY while a save or restore
 * of the port runs, -EPERM without CAP_NET_ADMIN in the network namespace of the
 * adapter, or another negative errno, with a message in extack.
 */
int vmq_nl_port_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vmq_port *port;
	int err;

	rtnl_lock();
	port = vmq_nl_port_admin(skb, info);
	err = IS_ERR(port) ? PTR_ERR(port) : vmq_port_change(port, info);
	rtnl_unlock();
	return err;
}
