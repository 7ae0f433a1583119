// SPDX-License-Identifier: GPL-2.0
/*
 * Generic netlink: processes that are extensions (ext-register, ext-unregister),
 * what they are asked for (ext-request) and what they answer (ext-read,
 * ext-answer).
 *
 * A process is its socket: nobody else can answer for it, and it is an extension no
 * more when the socket is closed.
 */
#include <linux/ctype.h>
#include <linux/jiffies.h>
#include <linux/mm.h>

#include "ext_user.h"
#include "netlink.h"

/* ---- ext-request ---- */

static int vmq_fill_request(struct sk_buff *msg,
			    const struct vmq_ext_user_port *p,
			    enum vmq_ext_user_op op, bool ok)
{
	const struct vmq_ext_user *u = p->user;
	const struct vmq_port *port = p->ep ? vmq_port_priv(p->ep->dev) : NULL;
	const struct vmq_record *rec = &p->record;

	if (nla_put_u32(msg, VMQ_A_EXT_USER_OP, op) ||
	    nla_put_string(msg, VMQ_A_EXT_USER_ADAPTER,
			   u->adapter->dev->name) ||
	    nla_put_string(msg, VMQ_A_EXT_USER_NAME, u->name) ||
	    vmq_put_uuid(msg, VMQ_A_EXT_USER_UUID, &u->ops.uuid))
		return -EMSGSIZE;
	if (!port)
		return 0;
	if (vmq_fill_dev(msg, port->dev) ||
	    nla_put_u32(msg, VMQ_A_EXT_USER_SESSION, p->session) ||
	    vmq_put_uuid(msg, VMQ_A_EXT_USER_PORT_UUID, &port->uuid))
		return -EMSGSIZE;
	if (!p->request)
		return nla_put_u8(msg, VMQ_A_EXT_USER_OK, ok);
	if (nla_put_u32(msg, VMQ_A_EXT_USER_REQUEST, p->request))
		return -EMSGSIZE;
	if (rec->data &&
	    (nla_put_u32(msg, VMQ_A_EXT_USER_LENGTH, rec->size) ||
	     nla_put_u16(msg, VMQ_A_EXT_USER_DATA_VERSION, rec->version) ||
	     vmq_put_uuid(msg, VMQ_A_EXT_USER_FEATURE, &rec->class) ||
	     (rec->flags & VMQ_RECORD_OPTIONAL &&
	      nla_put_flag(msg, VMQ_A_EXT_USER_OPTIONAL))))
		return -EMSGSIZE;
	return 0;
}

/* To the process alone; it fails where the process is dead, or does not read. */
static int vmq_send_request(const struct vmq_ext_user_port *p,
			    enum vmq_ext_user_op op, bool ok)
{
	const struct vmq_owner *owner = p->user->owner;
	struct sk_buff *msg;
	void *hdr;
	int err;

	msg = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!msg)
		return -ENOMEM;
	hdr = genlmsg_put(msg, owner->portid, 0, &vmq_nl_family, 0,
			  VMQ_CMD_EXT_REQUEST);
	err = hdr ? vmq_fill_request(msg, p, op, ok) : -EMSGSIZE;
	if (err) {
		nlmsg_free(msg);
		return err;
	}
	genlmsg_end(msg, hdr);
	return genlmsg_unicast(sock_net(owner->sk), msg, owner->portid);
}

/* ---- ext-register, ext-unregister ---- */

/* It is shown to administrators, and they type it. */
static int vmq_ext_user_name(const struct nlattr *attr,
			     struct netlink_ext_ack *extack)
{
	const char *c, *name = nla_data(attr);

	for (c = name; *c && (isalnum(*c) || *c == '-' || *c == '_'); c++)
		;
	if (c != name && !*c)
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, attr, "a name has letters, digits, - and _");
	return -EINVAL;
}

static int vmq_ext_user_parse(struct vmq_ext_user *u,
			      const struct genl_info *info)
{
	struct nlattr *version = info->attrs[VMQ_A_EXT_USER_DATA_VERSION];
	struct nlattr *feature = info->attrs[VMQ_A_EXT_USER_FEATURE];
	struct nlattr *timeout = info->attrs[VMQ_A_EXT_USER_TIMEOUT];
	struct nlattr *class = info->attrs[VMQ_A_EXT_USER_CLASS];
	int err;

	if (GENL_REQ_ATTR_CHECK(info, VMQ_A_EXT_USER_NAME) ||
	    GENL_REQ_ATTR_CHECK(info, VMQ_A_EXT_USER_UUID)) {
		NL_SET_ERR_MSG(info->extack, "an extension has a name and a uuid");
		return -EINVAL;
	}
	err = vmq_ext_user_name(info->attrs[VMQ_A_EXT_USER_NAME],
				info->extack);
	if (!err)
		err = vmq_nl_uuid(info->attrs[VMQ_A_EXT_USER_UUID],
				  &u->ops.uuid, info->extack);
	if (!err && feature)
		err = vmq_nl_uuid(feature, &u->feature, info->extack);
	if (err)
		return err;
	strscpy(u->name, nla_data(info->attrs[VMQ_A_EXT_USER_NAME]));
	u->ops.class = class ? nla_get_u32(class) : VMQ_EXT_CLASS_CAPTURE;
	if (u->ops.class == VMQ_EXT_CLASS_FORWARD) {
		NL_SET_ERR_MSG_ATTR(info->extack, class,
				    "a process sees no frames, so it can't forward them");
		return -EOPNOTSUPP;
	}
	u->ops.data_version = version ? nla_get_u16(version) : 1;
	u->timeout = msecs_to_jiffies(timeout ? nla_get_u32(timeout) :
						VMQ_EXT_USER_TIMEOUT);
	u->send = vmq_send_request;
	return 0;
}

static int vmq_ext_user_register(struct vmq_ext_user *u, struct sk_buff *skb,
				 const struct genl_info *info)
{
	struct nlattr *enabled = info->attrs[VMQ_A_EXT_USER_ENABLED];
	struct vmq_owner *owner;
	int err;

	owner = vmq_nl_client(skb, info, &u->adapter);
	if (IS_ERR(owner)) {
		kfree(u);
		return PTR_ERR(owner);
	}
	u->owner = owner;
	err = vmq_ext_user_add(u, info->extack);
	if (!err && enabled && nla_get_u8(enabled)) {
		err = vmq_ext_enable(u->adapter, u->name, true, info->extack);
		if (err)
			/* frees it, but not the owner */
			vmq_ext_user_remove(u, false);
	} else if (err) {
		kfree(u);
	}
	vmq_owner_put(owner);
	return err;
}

/**
 * vmq_nl_ext_register_doit() - ext-register: a process becomes an extension
 * @skb: the request
 * @info: the request, parsed
 *
 * Context: Process context.
 * Return: 0 or a negative errno, with a message in extack.
 */
int vmq_nl_ext_register_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vmq_ext_user *u = kzalloc(sizeof(*u), GFP_KERNEL_ACCOUNT);
	int err;

	if (!u)
		return -ENOMEM;
	err = vmq_ext_user_parse(u, info);
	if (err) {
		kfree(u);
		return err;
	}
	rtnl_lock();
	err = vmq_ext_user_register(u, skb, info);
	rtnl_unlock();
	return err;
}

static struct vmq_ext_user *vmq_ext_user_find(const struct vmq_owner *owner,
					      const struct vmq_adapter *a,
					      const char *name)
{
	struct vmq_ext_user *u;

	if (!owner)
		return NULL;
	list_for_each_entry(u, &owner->exts, owned)
		if (u->adapter == a && !strcmp(u->name, name))
			return u;
	return NULL;
}

static int vmq_ext_user_unregister(struct sk_buff *skb,
				   const struct genl_info *info)
{
	struct vmq_adapter *a = vmq_nl_adapter(info);
	struct vmq_ext_user *u;

	if (IS_ERR(a))
		return PTR_ERR(a);
	u = vmq_ext_user_find(vmq_owner_find(NETLINK_CB(skb).sk), a,
			      nla_data(info->attrs[VMQ_A_EXT_USER_NAME]));
	if (!u) {
		NL_SET_ERR_MSG_ATTR(info->extack,
				    info->attrs[VMQ_A_EXT_USER_NAME],
				    "this socket registered no such extension");
		return -ENOENT;
	}
	vmq_ext_user_remove(u, false);
	return 0;
}

/**
 * vmq_nl_ext_unregister_doit() - ext-unregister: a process is an extension no more
 * @skb: the request
 * @info: the request, parsed
 *
 * Context: Process context.
 * Return: 0 or a negative errno, with a message in extack.
 */
int vmq_nl_ext_unregister_doit(struct sk_buff *skb, struct genl_info *info)
{
	int err;

	if (GENL_REQ_ATTR_CHECK(info, VMQ_A_EXT_USER_NAME)) {
		NL_SET_ERR_MSG(info->extack, "which extension? name is missing");
		return -EINVAL;
	}
	rtnl_lock();
	err = vmq_ext_user_unregister(skb, info);
	rtnl_unlock();
	return err;
}

/* ---- ext-read, ext-answer ---- */

typedef int vmq_request_fn(struct vmq_ext_user_port *p, u32 request, void *ctx);

/* Calls fn for the ports of the sender until one knows the request. */
static int vmq_with_request(struct sk_buff *skb, const struct genl_info *info,
			    vmq_request_fn *fn, void *ctx)
{
	struct nlattr *attr = info->attrs[VMQ_A_EXT_USER_REQUEST];
	const struct vmq_owner *owner;
	const struct vmq_ext_user *u;
	struct vmq_ext_port *ep;
	struct vmq_port *port;
	int err = -ENOENT;

	if (!attr) {
		NL_SET_ERR_MSG(info->extack, "which request? it is missing");
		return -EINVAL;
	}
	owner = vmq_owner_find(NETLINK_CB(skb).sk);
	if (!owner)
		goto unknown;
	list_for_each_entry(u, &owner->exts, owned) {
		list_for_each_entry(port, &u->adapter->ports, node) {
			ep = vmq_ext_port_find(port, u->name);
			if (!ep)
				continue;
			err = fn(ep->priv, nla_get_u32(attr), ctx);
			if (err != -ENOENT)
				return err;
		}
	}
unknown:
	NL_SET_ERR_MSG_ATTR(info->extack, attr,
			    "no such request, or its time is over");
	return err;
}

struct vmq_read {
	struct sk_buff *msg;
	u32 offset;
};

static int vmq_read_request(struct vmq_ext_user_port *p, u32 request, void *ctx)
{
	const struct vmq_read *read = ctx;

	return vmq_ext_user_read(p, request, read->offset, read->msg);
}

/**
 * vmq_nl_ext_read_doit() - ext-read: the record that a request is about
 * @skb: the request
 * @info: the request, parsed
 *
 * Context: Process context.
 * Return: 0 or a negative errno, with a message in extack.
 */
int vmq_nl_ext_read_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *offset = info->attrs[VMQ_A_EXT_USER_OFFSET];
	struct vmq_read read = { .offset = offset ? nla_get_u32(offset) : 0 };
	void *hdr;
	int err;

	read.msg = genlmsg_new(VMQ_EXT_USER_CHUNK + 2 * nla_total_size(4),
			       GFP_KERNEL);
	if (!read.msg)
		return -ENOMEM;
	hdr = genlmsg_put_reply(read.msg, info, &vmq_nl_family, 0,
				info->genlhdr->cmd);
	if (!hdr) {
		nlmsg_free(read.msg);
		return -EMSGSIZE;
	}
	rtnl_lock();
	err = vmq_with_request(skb, info, vmq_read_request, &read);
	rtnl_unlock();
	if (err == -ERANGE)
		NL_SET_ERR_MSG_ATTR(info->extack, offset,
				    "behind the end of the record");
	if (!err)
		err = nla_put(read.msg, VMQ_A_EXT_USER_REQUEST, sizeof(u32),
			      nla_data(info->attrs[VMQ_A_EXT_USER_REQUEST]));
	return vmq_nl_reply_end(info, read.msg, hdr, err);
}

static int vmq_answer_request(struct vmq_ext_user_port *p, u32 request,
			      void *ctx)
{
	return vmq_ext_user_answer(p, request, ctx);
}

static int vmq_answer_parse(struct vmq_ext_user_answer *answer,
			    const struct genl_info *info)
{
	const struct nlattr *text = info->attrs[VMQ_A_EXT_USER_MESSAGE];
	const struct nlattr *error = info->attrs[VMQ_A_EXT_USER_ERROR];
	const struct nlattr *data = info->attrs[VMQ_A_EXT_USER_DATA];
	char *c;

	answer->error = error ? -(int)nla_get_u32(error) : 0;
	answer->optional = info->attrs[VMQ_A_EXT_USER_OPTIONAL];
	if (text)
		strscpy(answer->text, nla_data(text));
	for (c = answer->text; *c; c++)
		if (!isascii(*c) || !isprint(*c))
			*c = '?';
	if (!data || !nla_len(data))
		return 0;
	if (answer->error) {
		NL_SET_ERR_MSG(info->extack, "either data or an error");
		return -EINVAL;
	}
	if (nla_len(data) > VMQ_RECORD_DATA_MAX) {
		NL_SET_ERR_MSG_FMT(info->extack, "more than %u bytes are several records",
				   VMQ_RECORD_DATA_MAX);
		return -EMSGSIZE;
	}
	answer->data = kvmalloc(nla_len(data), GFP_KERNEL_ACCOUNT);
	if (!answer->data)
		return -ENOMEM;
	memcpy(answer->data, nla_data(data), nla_len(data));
	answer->size = nla_len(data);
	return 0;
}

/**
 * vmq_nl_ext_answer_doit() - ext-answer: what a process has to say
 * @skb: the request
 * @info: the request, parsed
 *
 * Context: Process context.
 * Return: 0 or a negative errno, with a message in extack.
 */
int vmq_nl_ext_answer_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vmq_ext_user_answer answer = {};
	int err;

	err = vmq_answer_parse(&answer, info);
	if (err)
		return err;
	rtnl_lock();
	err = vmq_with_request(skb, info, vmq_answer_request, &answer);
	rtnl_unlock();
	if (err == -EINVAL && answer.data)
		NL_SET_ERR_MSG(info->extack, "data was not asked for");
	if (err)
		kvfree(answer.data);
	return err;
}
