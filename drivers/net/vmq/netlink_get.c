// SPDX-License-Identifier: GPL-2.0
/*
 * Generic netlink: adapter-get, queue-get and filter-get, of one object or as a
 * dump.
 */
#include "netlink.h"

/* ---- dumps ---- */

/**
 * vmq_dump() - where a dump stands
 * @cb: state of the dump
 *
 * Context: Any.
 * Return: the place.
 */
struct vmq_dump *vmq_dump(struct netlink_callback *cb)
{
	NL_ASSERT_CTX_FITS(struct vmq_dump);
	return (struct vmq_dump *)cb->ctx;
}

/**
 * vmq_dump_start() - begins one message of a dump
 * @skb: the answer
 * @cb: state of the dump
 * @cmd: operation
 *
 * Context: Process context.
 * Return: for vmq_dump_end(), or NULL if there is no room.
 */
void *vmq_dump_start(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd)
{
	return genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			   &vmq_nl_family, NLM_F_MULTI, cmd);
}

/**
 * vmq_dump_end() - ends one message of a dump, or takes it back
 * @skb: the answer
 * @hdr: from vmq_dump_start()
 * @err: 0, or why the message is not complete
 *
 * Context: Process context.
 * Return: @err.
 */
int vmq_dump_end(struct sk_buff *skb, void *hdr, int err)
{
	if (hdr && err)
		genlmsg_cancel(skb, hdr);
	else if (hdr)
		genlmsg_end(skb, hdr);
	return err;
}

/**
 * vmq_nl_dump() - dumps what belongs to the adapters that a request means
 * @skb: the answer
 * @cb: state of the dump
 * @fn: adds the messages of one adapter, from where the dump stands
 *
 * Context: Process context; takes rtnl.
 * Return: bytes of the answer, 0 at the end, or a negative errno.
 */
int vmq_nl_dump(struct sk_buff *skb, struct netlink_callback *cb,
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
	void *hdr;
	int err;

	if (!net_eq(dev_net(a->dev), sock_net(skb->sk)))
		return 0;
	hdr = vmq_dump_start(skb, cb, VMQ_CMD_ADAPTER_GET);
	err = hdr ? vmq_fill_adapter(skb, a) : -EMSGSIZE;
	return vmq_dump_end(skb, hdr, err);
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

	msg = vmq_nl_reply_start(info, &hdr);
	if (!msg)
		return -ENOMEM;
	rtnl_lock();
	a = vmq_nl_adapter(info);
	if (IS_ERR(a)) {
		err = PTR_ERR(a);
		goto unlock;
	}
	if (GENL_REQ_ATTR_CHECK(info, VMQ_A_QUEUE_ID)) {
		NL_SET_ERR_MSG(info->extack, "which queue? id is missing");
		err = -EINVAL;
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
	void *hdr;
	int err;

	if (!net_eq(dev_net(a->dev), sock_net(skb->sk)))
		return 0;
	for (; *pos < a->max_queues; (*pos)++) {
		q = vmq_queue_find(a, *pos);
		if (!q || q->state == VMQ_QUEUE_STATE_UNDEFINED)
			continue;
		hdr = vmq_dump_start(skb, cb, VMQ_CMD_QUEUE_GET);
		err = hdr ? vmq_fill_queue(skb, q) : -EMSGSIZE;
		err = vmq_dump_end(skb, hdr, err);
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

	msg = vmq_nl_reply_start(info, &hdr);
	if (!msg)
		return -ENOMEM;
	rtnl_lock();
	a = vmq_nl_adapter(info);
	if (IS_ERR(a)) {
		err = PTR_ERR(a);
		goto unlock;
	}
	if (GENL_REQ_ATTR_CHECK(info, VMQ_A_FILTER_ID)) {
		NL_SET_ERR_MSG(info->extack, "which filter? id is missing");
		err = -EINVAL;
		goto unlock;
	}
	id = nla_get_u32(info->attrs[VMQ_A_FILTER_ID]);
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
	void *hdr;
	int err = 0;

	if (!net_eq(dev_net(a->dev), sock_net(skb->sk)))
		return 0;
	mutex_lock(&a->lock);
	xa_for_each_start(&a->filters, loc, f, *pos) {
		*pos = loc;
		hdr = vmq_dump_start(skb, cb, VMQ_CMD_FILTER_GET);
		err = hdr ? vmq_fill_filter(skb, a, f, NULL) : -EMSGSIZE;
		err = vmq_dump_end(skb, hdr, err);
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
