// SPDX-License-Identifier: GPL-2.0
/*
 * Generic netlink requests, dumps and notifications of the family "vmq".
 *
 * Operations run in parallel; each takes rtnl, as the objects come and go under
 * it.
 */
#include <linux/file.h>

#include "netlink.h"
#include "state.h"

/* ifindex and dev are the first two attributes of every set */
static_assert(VMQ_A_ADAPTER_IFINDEX == 1 && VMQ_A_ADAPTER_DEV == 2);
static_assert(VMQ_A_QUEUE_IFINDEX == 1 && VMQ_A_QUEUE_DEV == 2);
static_assert(VMQ_A_FILTER_IFINDEX == 1 && VMQ_A_FILTER_DEV == 2);
static_assert(VMQ_A_PORT_IFINDEX == 1 && VMQ_A_PORT_DEV == 2);
static_assert(VMQ_A_EXT_IFINDEX == 1 && VMQ_A_EXT_DEV == 2);
static_assert(VMQ_A_EXT_PORT_IFINDEX == 1 && VMQ_A_EXT_PORT_DEV == 2);
static_assert(VMQ_A_RECORD_IFINDEX == 1 && VMQ_A_RECORD_DEV == 2);

/* ---- which device is meant ---- */

static bool vmq_nl_names_dev(const struct genl_info *info)
{
	return info->attrs && (info->attrs[VMQ_A_ADAPTER_IFINDEX] ||
			       info->attrs[VMQ_A_ADAPTER_DEV]);
}

static struct net_device *vmq_nl_dev(const struct genl_info *info)
{
	struct nlattr *ifindex = info->attrs[VMQ_A_ADAPTER_IFINDEX];
	struct nlattr *name = info->attrs[VMQ_A_ADAPTER_DEV];
	struct net *net = genl_info_net(info);
	struct net_device *dev;

	if (!ifindex && !name) {
		NL_SET_ERR_MSG(info->extack, "which device? dev or ifindex is missing");
		return ERR_PTR(-EINVAL);
	}
	dev = ifindex ? __dev_get_by_index(net, nla_get_u32(ifindex)) :
			__dev_get_by_name(net, nla_data(name));
	if (!dev || (name && strcmp(dev->name, nla_data(name)))) {
		NL_SET_ERR_MSG_ATTR(info->extack, name ?: ifindex,
				    "no such device");
		return ERR_PTR(-ENODEV);
	}
	return dev;
}

static struct vmq_adapter *vmq_nl_adapter(const struct genl_info *info)
{
	struct net_device *dev = vmq_nl_dev(info);

	if (IS_ERR(dev))
		return ERR_CAST(dev);
	if (!vmq_is_adapter(dev)) {
		NL_SET_ERR_MSG(info->extack, "the device is not an adapter (link kind vmq)");
		return ERR_PTR(-EINVAL);
	}
	return vmq_adapter_priv(dev);
}

static struct vmq_port *vmq_nl_port(const struct genl_info *info)
{
	struct net_device *dev = vmq_nl_dev(info);

	if (IS_ERR(dev))
		return ERR_CAST(dev);
	if (!vmq_is_port(dev)) {
		NL_SET_ERR_MSG(info->extack, "the device is not a port (link kind vmqport)");
		return ERR_PTR(-EINVAL);
	}
	return vmq_port_priv(dev);
}

/* ---- answers ---- */

static struct sk_buff *vmq_nl_reply_start(struct genl_info *info, void **hdr)
{
	struct sk_buff *msg = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);

	if (!msg)
		return NULL;
	*hdr = genlmsg_put_reply(msg, info, &vmq_nl_family, 0,
				 info->genlhdr->cmd);
	if (!*hdr) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

static int vmq_nl_reply_end(struct genl_info *info, struct sk_buff *msg,
			    void *hdr, int err)
{
	if (err) {
		nlmsg_free(msg);
		return err;
	}
	genlmsg_end(msg, hdr);
	return genlmsg_reply(msg, info);
}

/* Where a dump stands: object within adapter, adapters in the order of making. */
struct vmq_dump {
	unsigned long adapter;
	unsigned long pos;
};

static struct vmq_dump *vmq_dump(struct netlink_callback *cb)
{
	NL_ASSERT_CTX_FITS(struct vmq_dump);
	return (struct vmq_dump *)cb->ctx;
}

/* One message of a dump. Fill returns what a vmq_fill_...() returned. */
#define VMQ_DUMP_ONE(skb, cb, cmd, fill)				\
({									\
	void *hdr_ = genlmsg_put(skb, NETLINK_CB((cb)->skb).portid,	\
				 (cb)->nlh->nlmsg_seq, &vmq_nl_family,	\
				 NLM_F_MULTI, cmd);			\
	int err_ = hdr_ ? (fill) : -EMSGSIZE;				\
									\
	if (hdr_ && err_)						\
		genlmsg_cancel(skb, hdr_);				\
	else if (hdr_)							\
		genlmsg_end(skb, hdr_);					\
	err_;								\
})

typedef int vmq_dump_fn(struct sk_buff *skb, struct netlink_callback *cb,
			struct vmq_adapter *a, unsigned long *pos);

/* Calls fn for every adapter that the request means, from where it stands. */
static int vmq_nl_dump(struct sk_buff *skb, struct netlink_callback *cb,
		       vmq_dump_fn *fn)
{
	const struct genl_info *info = genl_info_dump(cb);
	struct vmq_dump *at = vmq_dump(cb);
	struct vmq_adapter *a, *only = NULL;
	unsigned long n = 0;
	int err = 0;

	rtnl_lock();
	if (vmq_nl_names_dev(info)) {
		only = vmq_nl_adapter(info);
		if (IS_ERR(only)) {
			err = PTR_ERR(only);
			goto unlock;
		}
	}
	list_for_each_entry(a, &vmq_adapters, node) {
		if (n++ < at->adapter || (only && a != only))
			continue;
		err = fn(skb, cb, a, &at->pos);
		if (err)
			break;
		at->adapter = n;
		at->pos = 0;
	}
unlock:
	rtnl_unlock();
	return err == -EMSGSIZE && skb->len ? skb->len : err;
}

/* ---- adapter-get ---- */

/**
 * vmq_nl_adapter_get_doit() - adapter-get of one adapter
 * @skb: the request
 * @info: the request, parsed
 *
 * Context: Process context.
 * Return: 0 or a negative errno, with a message in extack.
 */
int vmq_nl_adapter_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vmq_adapter *a;
	struct sk_buff *msg;
	void *hdr;
	int err;

	msg = vmq_nl_reply_start(info, &hdr);
	if (!msg)
		return -ENOMEM;
	rtnl_lock();
	a = vmq_nl_adapter(info);
	err = IS_ERR(a) ? PTR_ERR(a) : vmq_fill_adapter(msg, a);
	rtnl_unlock();
	return vmq_nl_reply_end(info, msg, hdr, err);
}

static int vmq_dump_adapter(struct sk_buff *skb, struct netlink_callback *cb,
			    struct vmq_adapter *a, unsigned long *pos)
{
	if (!net_eq(dev_net(a->dev), sock_net(skb->sk)))
		return 0;
	return VMQ_DUMP_ONE(skb, cb, VMQ_CMD_ADAPTER_GET,
			    vmq_fill_adapter(skb, a));
}

/**
 * vmq_nl_adapter_get_dumpit() - adapter-get of all adapters of the netns
 * @skb: the answer
 * @cb: state of the dump
 *
 * Context: Process context.
 * Return: bytes of the answer, 0 at the end, or a negative errno.
 */
int vmq_nl_adapter_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return vmq_nl_dump(skb, cb, vmq_dump_adapter);
}

/* ---- queue-get ---- */

/**
 * vmq_nl_queue_get_doit() - queue-get of one queue
 * @skb: the request
 * @info: the request, parsed
 *
 * Context: Process context.
 * Return: 0 or a negative errno, with a message in extack.
 */
int vmq_nl_queue_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vmq_adapter *a;
	struct vmq_queue *q;
	struct sk_buff *msg;
	void *hdr;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, VMQ_A_QUEUE_ID)) {
		NL_SET_ERR_MSG(info->extack, "which queue? id is missing");
		return -EINVAL;
	}
	msg = vmq_nl_reply_start(info, &hdr);
	if (!msg)
		return -ENOMEM;
	rtnl_lock();
	a = vmq_nl_adapter(info);
	if (IS_ERR(a)) {
		err = PTR_ERR(a);
		goto unlock;
	}
	q = vmq_queue_find(a, nla_get_u32(info->attrs[VMQ_A_QUEUE_ID]));
	if (!q || q->state == VMQ_QUEUE_STATE_UNDEFINED) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[VMQ_A_QUEUE_ID],
				    "the queue is not allocated");
		err = -ENOENT;
		goto unlock;
	}
	err = vmq_fill_queue(msg, q);
unlock:
	rtnl_unlock();
	return vmq_nl_reply_end(info, msg, hdr, err);
}

static int vmq_dump_queues(struct sk_buff *skb, struct netlink_callback *cb,
			   struct vmq_adapter *a, unsigned long *pos)
{
	struct vmq_queue *q;
	int err;

	if (!net_eq(dev_net(a->dev), sock_net(skb->sk)))
		return 0;
	for (; *pos < a->max_queues; (*pos)++) {
		q = vmq_queue_find(a, *pos);
		if (!q || q->state == VMQ_QUEUE_STATE_UNDEFINED)
			continue;
		err = VMQ_DUMP_ONE(skb, cb, VMQ_CMD_QUEUE_GET,
				   vmq_fill_queue(skb, q));
		if (err)
			return err;
	}
	return 0;
}

/**
 * vmq_nl_queue_get_dumpit() - queue-get of all queues, or one adapter's
 * @skb: the answer
 * @cb: state of the dump
 *
 * Context: Process context.
 * Return: bytes of the answer, 0 at the end, or a negative errno.
 */
int vmq_nl_queue_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return vmq_nl_dump(skb, cb, vmq_dump_queues);
}

/* ---- filter-get ---- */

/**
 * vmq_nl_filter_get_doit() - filter-get of one filter
 * @skb: the request
 * @info: the request, parsed
 *
 * Context: Process context.
 * Return: 0; -EINVAL for id 0 or an undefined id (F-08), or another negative
 * errno, with a message in extack.
 */
int vmq_nl_filter_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vmq_filter *f = NULL;
	struct vmq_adapter *a;
	struct sk_buff *msg;
	void *hdr;
	int err;
	u32 id;

	if (GENL_REQ_ATTR_CHECK(info, VMQ_A_FILTER_ID)) {
		NL_SET_ERR_MSG(info->extack, "which filter? id is missing");
		return -EINVAL;
	}
	id = nla_get_u32(info->attrs[VMQ_A_FILTER_ID]);
	msg = vmq_nl_reply_start(info, &hdr);
	if (!msg)
		return -ENOMEM;
	rtnl_lock();
	a = vmq_nl_adapter(info);
	if (IS_ERR(a)) {
		err = PTR_ERR(a);
		goto unlock;
	}
	mutex_lock(&a->lock);
	if (id && id <= VMQ_MAX_FILTERS)
		f = xa_load(&a->filters, id - 1);
	if (f) {
		err = vmq_fill_filter(msg, a, f, NULL);
	} else {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[VMQ_A_FILTER_ID],
				    "there is no filter with this id");
		err = -EINVAL;
	}
	mutex_unlock(&a->lock);
unlock:
	rtnl_unlock();
	return vmq_nl_reply_end(info, msg, hdr, err);
}

static int vmq_dump_filters(struct sk_buff *skb, struct netlink_callback *cb,
			    struct vmq_adapter *a, unsigned long *pos)
{
	struct vmq_filter *f;
	unsigned long loc;
	int err = 0;

	if (!net_eq(dev_net(a->dev), sock_net(skb->sk)))
		return 0;
	mutex_lock(&a->lock);
	xa_for_each_start(&a->filters, loc, f, *pos) {
		*pos = loc;
		err = VMQ_DUMP_ONE(skb, cb, VMQ_CMD_FILTER_GET,
				   vmq_fill_filter(skb, a, f, NULL));
		if (err)
			break;
	}
	mutex_unlock(&a->lock);
	return err;
}

/**
 * vmq_nl_filter_get_dumpit() - filter-get of all filters, or one adapter's
 * @skb: the answer
 * @cb: state of the dump
 *
 * Context: Process context.
 * Return: bytes of the answer, 0 at the end, or a negative errno.
 */
int vmq_nl_filter_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return vmq_nl_dump(skb, cb, vmq_dump_filters);
}

/* ---- port-get ---- */

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
	struct vmq_port *port;
	struct sk_buff *msg;
	void *hdr;
	int err;

	msg = vmq_nl_reply_start(info, &hdr);
	if (!msg)
		return -ENOMEM;
	rtnl_lock();
	port = vmq_nl_port(info);
	err = IS_ERR(port) ? PTR_ERR(port) : vmq_fill_port(msg, port);
	rtnl_unlock();
	return vmq_nl_reply_end(info, msg, hdr, err);
}

/* A port is seen in the netns where it is, its adapter's or another. */
static int vmq_dump_ports(struct sk_buff *skb, struct netlink_callback *cb,
			  struct vmq_adapter *a, unsigned long *pos)
{
	struct vmq_port *port;
	unsigned long n = 0;
	int err;

	list_for_each_entry(port, &a->ports, node) {
		if (n++ < *pos ||
		    !net_eq(dev_net(port->dev), sock_net(skb->sk)))
			continue;
		err = VMQ_DUMP_ONE(skb, cb, VMQ_CMD_PORT_GET,
				   vmq_fill_port(skb, port));
		if (err)
			return err;
		*pos = n;
	}
	return 0;
}

/**
 * vmq_nl_port_get_dumpit() - port-get of all ports of the netns
 * @skb: the answer
 * @cb: state of the dump
 *
 * Context: Process context.
 * Return: bytes of the answer, 0 at the end, or a negative errno.
 */
int vmq_nl_port_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return vmq_nl_dump(skb, cb, vmq_dump_ports);
}

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
	struct vmq_ext_inst *inst;
	struct vmq_adapter *a;
	struct sk_buff *msg;
	void *hdr;
	int err;

	err = vmq_nl_ext_name(info);
	if (err)
		return err;
	msg = vmq_nl_reply_start(info, &hdr);
	if (!msg)
		return -ENOMEM;
	rtnl_lock();
	a = vmq_nl_adapter(info);
	if (IS_ERR(a)) {
		err = PTR_ERR(a);
	} else {
		inst = vmq_nl_ext(info, a);
		err = inst ? vmq_fill_ext(msg, a, inst) : -ENOENT;
	}
	rtnl_unlock();
	return vmq_nl_reply_end(info, msg, hdr, err);
}

static int vmq_dump_exts(struct sk_buff *skb, struct netlink_callback *cb,
			 struct vmq_adapter *a, unsigned long *pos)
{
	struct vmq_ext_inst *inst;
	unsigned long n = 0;
	int err;

	if (!net_eq(dev_net(a->dev), sock_net(skb->sk)))
		return 0;
	list_for_each_entry(inst, &a->exts, node) {
		if (n++ < *pos)
			continue;
		err = VMQ_DUMP_ONE(skb, cb, VMQ_CMD_EXT_GET,
				   vmq_fill_ext(skb, a, inst));
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

static struct vmq_ext_port *vmq_nl_ext_port(const struct genl_info *info)
{
	struct vmq_ext_port *ep;
	struct vmq_port *port;

	if (GENL_REQ_ATTR_CHECK(info, VMQ_A_EXT_PORT_NAME)) {
		NL_SET_ERR_MSG(info->extack, "which extension? name is missing");
		return ERR_PTR(-EINVAL);
	}
	port = vmq_nl_port(info);
	if (IS_ERR(port))
		return ERR_CAST(port);
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
	ep = vmq_nl_ext_port(info);
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
	hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			  &vmq_nl_family, NLM_F_MULTI, VMQ_CMD_EXT_PORT_GET);
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

	if (GENL_REQ_ATTR_CHECK(info, VMQ_A_EXT_PORT_CONFIG)) {
		NL_SET_ERR_MSG(info->extack, "config is missing");
		return -EINVAL;
	}
	rtnl_lock();
	ep = vmq_nl_ext_port(info);
	if (IS_ERR(ep)) {
		err = PTR_ERR(ep);
	} else if (!ep->ops->config_set) {
		NL_SET_ERR_MSG(info->extack, "the extension has no configuration");
		err = -EOPNOTSUPP;
	} else {
		err = ep->ops->config_set(ep, config, info->extack);
	}
	rtnl_unlock();
	return err;
}

/* ---- save-begin, restore-begin, restore-commit, abort ---- */

static int vmq_nl_begin(struct genl_info *info, bool restore)
{
	struct vmq_port *port;
	struct sk_buff *msg;
	struct file *file;
	void *hdr;
	int err;
	int fd;

	msg = vmq_nl_reply_start(info, &hdr);
	if (!msg)
		return -ENOMEM;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		NL_SET_ERR_MSG(info->extack, "no free file descriptor");
		nlmsg_free(msg);
		return fd;
	}
	rtnl_lock();
	port = vmq_nl_port(info);
	err = PTR_ERR_OR_ZERO(port);
	if (!err && (nla_put_u32(msg, VMQ_A_PORT_IFINDEX,
				 port->dev->ifindex) ||
		     nla_put_string(msg, VMQ_A_PORT_DEV, port->dev->name) ||
		     nla_put_s32(msg, VMQ_A_PORT_FD, fd)))
		err = -EMSGSIZE;
	if (!err)
		err = vmq_session_begin(port, restore, &file, info->extack);
	rtnl_unlock();
	if (err) {
		put_unused_fd(fd);
		nlmsg_free(msg);
		return err;
	}
	/* nothing can be undone from here on, so it comes last */
	fd_install(fd, file);
	return vmq_nl_reply_end(info, msg, hdr, 0);
}

/**
 * vmq_nl_save_begin_doit() - save-begin
 * @skb: the request
 * @info: the request, parsed
 *
 * Context: Process context.
 * Return: 0 or a negative errno, with a message in extack.
 */
int vmq_nl_save_begin_doit(struct sk_buff *skb, struct genl_info *info)
{
	return vmq_nl_begin(info, false);
}

/**
 * vmq_nl_restore_begin_doit() - restore-begin
 * @skb: the request
 * @info: the request, parsed
 *
 * Context: Process context.
 * Return: 0 or a negative errno, with a message in extack.
 */
int vmq_nl_restore_begin_doit(struct sk_buff *skb, struct genl_info *info)
{
	return vmq_nl_begin(info, true);
}

/**
 * vmq_nl_restore_commit_doit() - restore-commit
 * @skb: the request
 * @info: the request, parsed
 *
 * Context: Process context.
 * Return: 0 or a negative errno, with a message in extack.
 */
int vmq_nl_restore_commit_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vmq_port *port;
	struct sk_buff *msg;
	void *hdr;
	int err;

	msg = vmq_nl_reply_start(info, &hdr);
	if (!msg)
		return -ENOMEM;
	rtnl_lock();
	port = vmq_nl_port(info);
	err = IS_ERR(port) ? PTR_ERR(port) :
			     vmq_restore_commit(port, info->extack);
	if (!err)
		err = vmq_fill_port(msg, port);
	rtnl_unlock();
	return vmq_nl_reply_end(info, msg, hdr, err);
}

/**
 * vmq_nl_abort_doit() - abort
 * @skb: the request
 * @info: the request, parsed
 *
 * Context: Process context.
 * Return: 0 or a negative errno, with a message in extack.
 */
int vmq_nl_abort_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vmq_port *port;
	int err;

	rtnl_lock();
	port = vmq_nl_port(info);
	err = IS_ERR(port) ? PTR_ERR(port) :
			     vmq_session_abort(port, info->extack);
	rtnl_unlock();
	return err;
}
