// SPDX-License-Identifier: GPL-2.0
/*
 * Generic netlink: which device a request means, answers, and the operations of
 * save and restore. Dumps and adapters are in netlink_get.c, queues, filters, ports
 * and extensions in a file each, notifications in netlink_ntf.c.
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
static_assert(VMQ_A_VF_IFINDEX == 1 && VMQ_A_VF_DEV == 2);
static_assert(VMQ_A_EXT_USER_IFINDEX == 1 && VMQ_A_EXT_USER_DEV == 2);

/* ---- which device is meant ---- */

/**
 * vmq_nl_names_dev() - does a request name a device?
 * @info: the request
 *
 * Context: Any.
 * Return: true if it does.
 */
bool vmq_nl_names_dev(const struct genl_info *info)
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

/**
 * vmq_nl_adapter() - the adapter that a request names
 * @info: the request
 *
 * Context: Process context, rtnl held.
 * Return: the adapter, or ERR_PTR of -EINVAL or -ENODEV with a message.
 */
struct vmq_adapter *vmq_nl_adapter(const struct genl_info *info)
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

/**
 * vmq_nl_port() - the port that a request names
 * @info: the request
 *
 * Context: Process context, rtnl held.
 * Return: the port, or ERR_PTR of -EINVAL or -ENODEV with a message.
 */
struct vmq_port *vmq_nl_port(const struct genl_info *info)
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

/**
 * vmq_nl_port_admin() - the port that a request is about to change
 * @skb: the request
 * @info: the request, parsed
 *
 * A port may be in the network namespace of its guest, whose administrator is
 * not the adapter's.
 *
 * Context: Process context, rtnl held.
 * Return: the port, or ERR_PTR of -EINVAL, -ENODEV or -EPERM with a message.
 */
struct vmq_port *vmq_nl_port_admin(struct sk_buff *skb,
				   const struct genl_info *info)
{
	struct vmq_port *port = vmq_nl_port(info);

	if (IS_ERR(port))
		return port;
	if (!netlink_ns_capable(skb, dev_net(port->adapter->dev)->user_ns,
				CAP_NET_ADMIN)) {
		NL_SET_ERR_MSG(info->extack, "no permission in the adapter's network namespace");
		return ERR_PTR(-EPERM);
	}
	return port;
}

/**
 * vmq_nl_client() - who makes something, and on which adapter
 * @skb: the request
 * @info: the request, parsed
 * @a: the adapter that the request names, set here
 *
 * Context: Process context, rtnl held.
 * Return: the socket as an owner, for vmq_owner_put(), or ERR_PTR of -ENOMEM or
 * the errors of vmq_nl_adapter().
 */
struct vmq_owner *vmq_nl_client(struct sk_buff *skb,
				const struct genl_info *info,
				struct vmq_adapter **a)
{
	struct vmq_owner *owner;

	*a = vmq_nl_adapter(info);
	if (IS_ERR(*a))
		return ERR_CAST(*a);
	owner = vmq_owner_get(NETLINK_CB(skb).sk, info->snd_portid);
	return owner ?: ERR_PTR(-ENOMEM);
}

/**
 * vmq_nl_uuid() - a uuid of a request
 * @attr: the attribute, a string
 * @uuid: set here
 * @extack: says why not
 *
 * Context: Any.
 * Return: 0, or -EINVAL for what is none, or the nil uuid.
 */
int vmq_nl_uuid(const struct nlattr *attr, uuid_t *uuid,
		struct netlink_ext_ack *extack)
{
	if (nla_len(attr) != UUID_STRING_LEN + 1 ||
	    uuid_parse(nla_data(attr), uuid)) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "not a uuid (8-4-4-4-12 hexadecimal digits)");
		return -EINVAL;
	}
	if (uuid_is_null(uuid)) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "the nil uuid identifies nothing");
		return -EINVAL;
	}
	return 0;
}

/* ---- answers ---- */

/**
 * vmq_nl_reply_start() - begins an answer
 * @info: the request
 * @hdr: for vmq_nl_reply_end()
 *
 * Context: Process context.
 * Return: the answer or NULL.
 */
struct sk_buff *vmq_nl_reply_start(struct genl_info *info, void **hdr)
{
	struct sk_buff *msg = genlmsg_new(VMQ_NL_ROOM, GFP_KERNEL);

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

/**
 * vmq_nl_reply_end() - sends an answer, or frees it
 * @info: the request
 * @msg: the answer
 * @hdr: from vmq_nl_reply_start()
 * @err: 0, or why there is no answer
 *
 * Context: Process context.
 * Return: @err, or the error of sending.
 */
int vmq_nl_reply_end(struct genl_info *info, struct sk_buff *msg, void *hdr,
		     int err)
{
	if (err) {
		nlmsg_free(msg);
		return err;
	}
	genlmsg_end(msg, hdr);
	return genlmsg_reply(msg, info);
}

/**
 * vmq_nl_get() - answers a request with one object
 * @info: the request
 * @get: finds or makes what is asked for and describes it in the answer, or says
 *	why not; called with rtnl held
 *
 * Context: Process context; takes rtnl.
 * Return: 0 or a negative errno, with a message in extack.
 */
int vmq_nl_get(struct genl_info *info, vmq_get_fn *get)
{
	struct sk_buff *msg;
	void *hdr;
	int err;

	msg = vmq_nl_reply_start(info, &hdr);
	if (!msg)
		return -ENOMEM;
	rtnl_lock();
	err = get(msg, info);
	rtnl_unlock();
	return vmq_nl_reply_end(info, msg, hdr, err);
}

/* ---- requests with many entries, each with a status of its own ---- */

#define VMQ_STATUS_SIZE	(nla_total_size(0) + 2 * nla_total_size(sizeof(u32)))
#define VMQ_STATUS_ROOM	4096		/* for messages; without room they go */

/**
 * vmq_batch_start() - begins the answer to a request with many entries
 * @b: the answer, set here
 * @info: the request
 * @entry: attribute of the request that is there once for each entry
 * @status: attribute of the answer
 *
 * Context: Process context.
 * Return: 0, -E2BIG for more than VMQ_BATCH_MAX entries, or -ENOMEM.
 */
int vmq_batch_start(struct vmq_batch *b, struct genl_info *info, u16 entry,
		    u16 status)
{
	struct nlattr *attr;
	int rem;

	b->status = status;
	b->left = 0;
	nla_for_each_attr_type(attr, entry, genlmsg_data(info->genlhdr),
			       genlmsg_len(info->genlhdr), rem)
		b->left++;
	if (b->left > VMQ_BATCH_MAX) {
		NL_SET_ERR_MSG_FMT(info->extack, "more than %u entries in one request",
				   VMQ_BATCH_MAX);
		return -E2BIG;
	}
	b->msg = genlmsg_new(b->left * VMQ_STATUS_SIZE + VMQ_STATUS_ROOM,
			     GFP_KERNEL);
	if (!b->msg)
		return -ENOMEM;
	b->hdr = genlmsg_put_reply(b->msg, info, &vmq_nl_family, 0,
				   info->genlhdr->cmd);
	if (!b->hdr) {
		nlmsg_free(b->msg);
		return -ENOMEM;
	}
	return 0;
}

/**
 * vmq_batch_put() - says what became of the next entry
 * @b: the answer
 * @id: of the queue or filter, 0 where there is none
 * @err: 0 or a negative errno
 * @extack: has the message, if there is one
 *
 * Context: Process context.
 */
void vmq_batch_put(struct vmq_batch *b, u32 id, int err,
		   const struct netlink_ext_ack *extack)
{
	struct nlattr *nest = nla_nest_start(b->msg, b->status);
	size_t room;

	/* there is room for all of them */
	if (WARN_ON_ONCE(!nest || !b->left))
		return;
	b->left--;
	nla_put_u32(b->msg, VMQ_A_STATUS_ID, id);
	nla_put_u32(b->msg, VMQ_A_STATUS_ERROR, -err);
	room = skb_tailroom(b->msg) - b->left * VMQ_STATUS_SIZE;
	if (err && extack->_msg &&
	    nla_total_size(strlen(extack->_msg) + 1) <= room)
		nla_put_string(b->msg, VMQ_A_STATUS_MESSAGE, extack->_msg);
	nla_nest_end(b->msg, nest);
}

/**
 * vmq_batch_end() - sends the answer, or frees it
 * @b: the answer
 * @info: the request
 * @err: 0, or why there is no answer
 *
 * Context: Process context.
 * Return: @err, or the error of sending.
 */
int vmq_batch_end(struct vmq_batch *b, struct genl_info *info, int err)
{
	return vmq_nl_reply_end(info, b->msg, b->hdr, err);
}

/* ---- save-begin, restore-begin, restore-commit, abort ---- */

static int vmq_nl_begin(struct sk_buff *skb, struct genl_info *info,
			bool restore)
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
	port = vmq_nl_port_admin(skb, info);
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
	return vmq_nl_begin(skb, info, false);
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
	return vmq_nl_begin(skb, info, true);
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
	port = vmq_nl_port_admin(skb, info);
	err = IS_ERR(port) ? PTR_ERR(port) :
			     vmq_session_abort(port, info->extack);
	rtnl_unlock();
	return err;
}
