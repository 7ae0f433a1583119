// SPDX-License-Identifier: GPL-2.0
/*
 * Generic netlink: extensions of adapters (ext-get, ext-set) and what they have to
 * say of ports (ext-port-get, ext-port-set).
 */
#include "netlink.h"

/* ---- ext-get, ext-set ---- */

static struct vmq_ext_inst *vmq_nl_ext(const struct genl_info *info,
				       struct vmq_adapter *a)
{
	struct vmq_ext_inst *inst;

	list_for_each_entry(inst, &a->exts, node)
		if (!strcmp(inst->ops->name,
			    nla_data(info->attrs[VMQ_A_EXT_NAME])))
			return inst;
	NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[VMQ_A_EXT_NAME],
			    "no such extension; is its module loaded?");
	return NULL;
}

static int vmq_nl_ext_name(const struct genl_info *info)
{
	if (!GENL_REQ_ATTR_CHECK(info, VMQ_A_EXT_NAME))
		return 0;
	NL_SET_ERR_MSG(info->extack, "which extension? name is missing");
	return -EINVAL;
}

static int vmq_get_ext(struct sk_buff *msg, const struct genl_info *info)
{
	struct vmq_ext_inst *inst;
	struct vmq_adapter *a;
	int err;

	err = vmq_nl_ext_name(info);
	if (err)
		return err;
	a = vmq_nl_adapter(info);
	if (IS_ERR(a))
		return PTR_ERR(a);
	inst = vmq_nl_ext(info, a);
	return inst ? vmq_fill_ext(msg, a, inst) : -ENOENT;
}

/**
 * vmq_nl_ext_get_doit() - ext-get of one extension of an adapter
 * @skb: the request
 * @info: the request, parsed
 *
 * Context: Process context.
 * Return: 0 or a negative errno, with a message in extack.
 */
int vmq_nl_ext_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	return vmq_nl_get(info, vmq_get_ext);
}

static int vmq_dump_exts(struct sk_buff *skb, struct netlink_callback *cb,
			 struct vmq_adapter *a, unsigned long *pos)
{
	struct vmq_ext_inst *inst;
	unsigned long n = 0;
	void *hdr;
	int err;

	list_for_each_entry(inst, &a->exts, node) {
		if (n++ < *pos)
			continue;
		hdr = vmq_dump_start(skb, cb, VMQ_CMD_EXT_GET);
		err = hdr ? vmq_fill_ext(skb, a, inst) : -EMSGSIZE;
		err = vmq_dump_end(skb, hdr, err);
		if (err)
			return err;
		*pos = n;
	}
	return 0;
}

/**
 * vmq_nl_ext_get_dumpit() - ext-get of the stack, in ingress order
 * @skb: the answer
 * @cb: state of the dump
 *
 * Context: Process context.
 * Return: bytes of the answer, 0 at the end, or a negative errno.
 */
int vmq_nl_ext_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return vmq_nl_dump(skb, cb, vmq_dump_exts);
}

/**
 * vmq_nl_ext_set_doit() - ext-set: enables, disables or moves an extension
 * @skb: the request
 * @info: the request, parsed
 *
 * Context: Process context.
 * Return: 0 or a negative errno, with a message in extack.
 */
int vmq_nl_ext_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *position = info->attrs[VMQ_A_EXT_POSITION];
	struct nlattr *enabled = info->attrs[VMQ_A_EXT_ENABLED];
	struct vmq_adapter *a;
	const char *name;
	int err;

	err = vmq_nl_ext_name(info);
	if (err)
		return err;
	if (!enabled == !position) {
		NL_SET_ERR_MSG(info->extack, "give either enabled or position");
		return -EINVAL;
	}
	name = nla_data(info->attrs[VMQ_A_EXT_NAME]);
	rtnl_lock();
	a = vmq_nl_adapter(info);
	if (IS_ERR(a))
		err = PTR_ERR(a);
	else if (!vmq_nl_ext(info, a))
		err = -ENOENT;
	else if (enabled)
		err = vmq_ext_enable(a, name, nla_get_u8(enabled),
				     info->extack);
	else
		err = vmq_ext_move(a, name, nla_get_u32(position),
				   info->extack);
	rtnl_unlock();
	return err;
}

/* ---- ext-port-get, ext-port-set ---- */

static struct vmq_ext_port *vmq_nl_ext_port(const struct genl_info *info,
					    struct vmq_port *port)
{
	struct vmq_ext_port *ep;

	if (IS_ERR(port))
		return ERR_CAST(port);
	if (GENL_REQ_ATTR_CHECK(info, VMQ_A_EXT_PORT_NAME)) {
		NL_SET_ERR_MSG(info->extack, "which extension? name is missing");
		return ERR_PTR(-EINVAL);
	}
	ep = vmq_ext_port_find(port,
			       nla_data(info->attrs[VMQ_A_EXT_PORT_NAME]));
	if (!ep) {
		NL_SET_ERR_MSG_FMT(info->extack, "the extension is not enabled on %s",
				   port->adapter->dev->name);
		return ERR_PTR(-ENOENT);
	}
	return ep;
}

/* Up to one message of an extension's description. */
static int vmq_dump_ext_port(struct sk_buff *skb, struct vmq_ext_port *ep,
			     unsigned long *cursor)
{
	unsigned long before = *cursor;
	struct nlattr *config;
	int err;

	if (nla_put_u32(skb, VMQ_A_EXT_PORT_IFINDEX, ep->dev->ifindex) ||
	    nla_put_string(skb, VMQ_A_EXT_PORT_DEV, ep->dev->name) ||
	    nla_put_string(skb, VMQ_A_EXT_PORT_NAME, ep->ops->name))
		return -EMSGSIZE;
	config = nla_nest_start(skb, VMQ_A_EXT_PORT_CONFIG);
	if (!config)
		return -EMSGSIZE;
	err = ep->ops->config_dump(ep, skb, cursor);
	nla_nest_end(skb, config);
	if (err == -EMSGSIZE)
		/* an item that fits no message would keep us here for ever */
		return *cursor == before ? -ENOBUFS : 1;
	return err;
}

/**
 * vmq_nl_ext_port_get_dumpit() - ext-port-get: what an extension says of a port
 * @skb: the answer
 * @cb: state of the dump
 *
 * Context: Process context.
 * Return: bytes of the answer, 0 at the end, or a negative errno.
 */
int vmq_nl_ext_port_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	const struct genl_info *info = genl_info_dump(cb);
	struct vmq_dump *at = vmq_dump(cb);
	struct vmq_ext_port *ep;
	void *hdr;
	int err;

	/* adapter counts to 1 when everything was said */
	if (at->adapter)
		return 0;
	rtnl_lock();
	ep = vmq_nl_ext_port(info, vmq_nl_port(info));
	if (IS_ERR(ep)) {
		err = PTR_ERR(ep);
		goto unlock;
	}
	if (!ep->ops->config_dump) {
		err = -EOPNOTSUPP;
		NL_SET_ERR_MSG(info->extack, "the extension has no configuration");
		goto unlock;
	}
	err = -EMSGSIZE;
	hdr = vmq_dump_start(skb, cb, VMQ_CMD_EXT_PORT_GET);
	if (!hdr)
		goto unlock;
	err = vmq_dump_ext_port(skb, ep, &at->pos);
	if (err < 0) {
		genlmsg_cancel(skb, hdr);
		goto unlock;
	}
	genlmsg_end(skb, hdr);
	if (!err)
		at->adapter = 1;
	err = skb->len;
unlock:
	rtnl_unlock();
	return err;
}

/* The other extensions of the port are asked first. */
static int vmq_nl_ext_config(struct vmq_ext_port *ep,
			     const struct nlattr *config,
			     struct netlink_ext_ack *extack)
{
	struct vmq_port *port = vmq_port_priv(ep->dev);
	const struct vmq_property prop = {
		.kind = VMQ_PROPERTY_EXT,
		.ext = ep->ops,
		.value = config,
	};
	int err;

	err = vmq_ext_property_set(port, &prop, 1, extack);
	if (err)
		return err;
	err = ep->ops->config_set(ep, config, extack);
	if (err)
		vmq_ext_property_undo(port, &prop, 1);
	return err;
}

/**
 * vmq_nl_ext_port_set_doit() - ext-port-set: configures an extension of a port
 * @skb: the request
 * @info: the request, parsed
 *
 * Context: Process context.
 * Return: 0 or a negative errno, with a message in extack.
 */
int vmq_nl_ext_port_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *config = info->attrs[VMQ_A_EXT_PORT_CONFIG];
	struct vmq_ext_port *ep;
	int err;

	rtnl_lock();
	ep = vmq_nl_ext_port(info, vmq_nl_port_admin(skb, info));
	if (IS_ERR(ep)) {
		err = PTR_ERR(ep);
	} else if (GENL_REQ_ATTR_CHECK(info, VMQ_A_EXT_PORT_CONFIG)) {
		NL_SET_ERR_MSG(info->extack, "config is missing");
		err = -EINVAL;
	} else if (!ep->ops->config_set) {
		NL_SET_ERR_MSG(info->extack, "the extension has no configuration");
		err = -EOPNOTSUPP;
	} else {
		err = vmq_nl_ext_config(ep, config, info->extack);
	}
	rtnl_unlock();
	return err;
}
