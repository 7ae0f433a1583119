// SPDX-License-Identifier: GPL-2.0
/*
 * Generic netlink: queues, shown, allocated, completed, changed and freed.
 */
#include "netlink.h"

/* The queue that a request names by its id; adapter->lock is held. */
static struct vmq_queue *vmq_nl_queue_id(struct vmq_adapter *a, u32 id,
					 struct netlink_ext_ack *extack)
{
	struct vmq_queue *q = vmq_queue_find(a, id);

	if (q && q->state != VMQ_QUEUE_STATE_UNDEFINED)
		return q;
	NL_SET_ERR_MSG_FMT(extack, "queue %u is not allocated", id);
	return ERR_PTR(-ENOENT);
}

static struct vmq_queue *vmq_nl_queue(const struct genl_info *info,
				      struct vmq_adapter *a)
{
	if (GENL_REQ_ATTR_CHECK(info, VMQ_A_QUEUE_ID)) {
		NL_SET_ERR_MSG(info->extack, "which queue? id is missing");
		return ERR_PTR(-EINVAL);
	}
	return vmq_nl_queue_id(a, nla_get_u32(info->attrs[VMQ_A_QUEUE_ID]),
			       info->extack);
}

/* May a socket change a queue? One of a socket, that socket alone may. */
static int vmq_nl_queue_may(struct sk_buff *skb, const struct vmq_queue *q,
			    struct netlink_ext_ack *extack)
{
	if (!q->owner || q->owner->sk == NETLINK_CB(skb).sk)
		return 0;
	NL_SET_ERR_MSG_FMT(extack, "queue %u belongs to another socket", q->id);
	return -EPERM;
}

/* ---- queue-get ---- */

/* Nobody asks the default queue for its state. */
static int vmq_nl_queue_query(struct vmq_queue *q)
{
	return q->id ? vmq_queue_event(q, VMQ_QEV_QUERY) : 0;
}

static int vmq_get_queue(struct sk_buff *msg, const struct genl_info *info)
{
	struct vmq_adapter *a = vmq_nl_adapter(info);
	struct vmq_queue *q;
	int err;

	if (IS_ERR(a))
		return PTR_ERR(a);
	mutex_lock(&a->lock);
	q = vmq_nl_queue(info, a);
	err = IS_ERR(q) ? PTR_ERR(q) : vmq_nl_queue_query(q);
	if (!err)
		err = vmq_fill_queue(msg, q);
	mutex_unlock(&a->lock);
	return err;
}

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
	return vmq_nl_get(info, vmq_get_queue);
}

static int vmq_dump_queues(struct sk_buff *skb, struct netlink_callback *cb,
			   struct vmq_adapter *a, unsigned long *pos)
{
	const struct genl_info *info = genl_info_dump(cb);
	bool mine = info->attrs[VMQ_A_QUEUE_MINE];
	struct sock *sk = NETLINK_CB(cb->skb).sk;
	struct vmq_queue *q;
	void *hdr;
	int err = 0;

	mutex_lock(&a->lock);
	for (; *pos < a->max_queues; (*pos)++) {
		q = vmq_queue_find(a, *pos);
		if (!q || vmq_nl_queue_query(q))
			continue;
		if (mine && !(q->owner && q->owner->sk == sk))
			continue;
		hdr = vmq_dump_start(skb, cb, VMQ_CMD_QUEUE_GET);
		err = hdr ? vmq_fill_queue(skb, q) : -EMSGSIZE;
		err = vmq_dump_end(skb, hdr, err);
		if (err)
			break;
	}
	mutex_unlock(&a->lock);
	return err;
}

/**
 * vmq_nl_queue_get_dumpit() - queue-get of all queues, or one adapter's
 * @skb: the answer
 * @cb: state of the dump
 *
 * With the flag mine only those that the socket itself allocated.
 *
 * Context: Process context.
 * Return: bytes of the answer, 0 at the end, or a negative errno.
 */
int vmq_nl_queue_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return vmq_nl_dump(skb, cb, vmq_dump_queues);
}

/* ---- queue-new ---- */

static int vmq_nl_queue_alloc(struct genl_info *info, struct vmq_adapter *a,
			      struct vmq_owner *owner, struct sk_buff *msg)
{
	struct vmq_queue_param param;
	struct vmq_queue *q;
	u32 mask;
	int err;

	err = vmq_queue_param_parse(info->attrs, &param, &mask, info->extack);
	if (err)
		return err;
	mutex_lock(&a->lock);
	err = vmq_queue_alloc_owned(a, info->attrs[VMQ_A_QUEUE_KEEP] ? NULL :
				    owner, &q);
	if (err == -ENOSPC)
		NL_SET_ERR_MSG_FMT(info->extack, "all %u VM queues are in use (ethtool -L)",
				   a->dev->real_num_rx_queues - 1);
	if (err)
		goto unlock;
	err = vmq_queue_init_param(q, &param, mask, info->extack);
	if (!err)
		err = vmq_fill_queue(msg, q);
	if (err)
		vmq_queue_free(&q, 1);
unlock:
	mutex_unlock(&a->lock);
	return err;
}

/**
 * vmq_nl_queue_new_doit() - queue-new
 * @skb: the request
 * @info: the request, parsed
 *
 * Context: Process context.
 * Return: 0; -ENOSPC when all queues that are switched on are in use, or another
 * negative errno, with a message in extack; no queue and no id is in use then
 * (Q-09, Q-10).
 */
int vmq_nl_queue_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vmq_owner *owner;
	struct vmq_adapter *a;
	struct sk_buff *msg;
	void *hdr;
	int err;

	msg = vmq_nl_reply_start(info, &hdr);
	if (!msg)
		return -ENOMEM;
	rtnl_lock();
	owner = vmq_nl_client(skb, info, &a);
	err = PTR_ERR_OR_ZERO(owner);
	if (!err) {
		err = vmq_nl_queue_alloc(info, a, owner, msg);
		vmq_owner_put(owner);
	}
	rtnl_unlock();
	return vmq_nl_reply_end(info, msg, hdr, err);
}

/* ---- queue-complete ---- */

static int vmq_nl_queue_complete(struct sk_buff *skb, struct vmq_adapter *a,
				 u32 id, struct netlink_ext_ack *extack)
{
	struct vmq_queue *q;
	int err;

	if (!id) {
		NL_SET_ERR_MSG(extack, "the default queue is never allocated");
		return -EINVAL;
	}
	q = vmq_nl_queue_id(a, id, extack);
	if (IS_ERR(q))
		return PTR_ERR(q);
	err = vmq_nl_queue_may(skb, q, extack);
	if (err)
		return err;
	err = vmq_queue_event(q, VMQ_QEV_COMPLETE);
	if (err)
		NL_SET_ERR_MSG_FMT(extack, "the allocation of queue %u is complete already",
				   id);
	return err;
}

/**
 * vmq_nl_queue_complete_doit() - queue-complete of any number of queues
 * @skb: the request
 * @info: the request, parsed
 *
 * Each succeeds or fails by itself, and its status is in the answer.
 *
 * Context: Process context.
 * Return: 0, also with no queue at all, or a negative errno, with a message
 * in extack.
 */
int vmq_nl_queue_complete_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vmq_adapter *a;
	struct nlattr *attr;
	struct vmq_batch b;
	int err, rem;

	err = vmq_batch_start(&b, info, VMQ_A_QUEUE_IDS, VMQ_A_QUEUE_STATUS);
	if (err)
		return err;
	rtnl_lock();
	a = vmq_nl_adapter(info);
	err = IS_ERR(a) ? PTR_ERR(a) : vmq_fill_dev(b.msg, a->dev);
	if (err)
		goto unlock;
	mutex_lock(&a->lock);
	nla_for_each_attr_type(attr, VMQ_A_QUEUE_IDS,
			       genlmsg_data(info->genlhdr),
			       genlmsg_len(info->genlhdr), rem) {
		struct netlink_ext_ack extack = {};
		u32 id = nla_get_u32(attr);
		int bad;

		bad = vmq_nl_queue_complete(skb, a, id, &extack);
		vmq_batch_put(&b, id, bad, &extack);
	}
	mutex_unlock(&a->lock);
unlock:
	rtnl_unlock();
	return vmq_batch_end(&b, info, err);
}

/* ---- queue-set ---- */

/**
 * vmq_nl_queue_set_doit() - queue-set
 * @skb: the request
 * @info: the request, parsed
 *
 * Context: Process context.
 * Return: 0; -EPERM for a queue of another socket, or another negative
 * errno, with a message in extack.
 */
int vmq_nl_queue_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vmq_queue_param param;
	struct vmq_adapter *a;
	struct vmq_queue *q;
	u32 mask;
	int err;

	err = vmq_queue_param_parse(info->attrs, &param, &mask, info->extack);
	if (err)
		return err;
	rtnl_lock();
	a = vmq_nl_adapter(info);
	if (IS_ERR(a)) {
		err = PTR_ERR(a);
		goto unlock;
	}
	mutex_lock(&a->lock);
	q = vmq_nl_queue(info, a);
	err = IS_ERR(q) ? PTR_ERR(q) : vmq_nl_queue_may(skb, q, info->extack);
	if (!err)
		err = vmq_queue_set_param(q, &param, mask, info->extack);
	mutex_unlock(&a->lock);
unlock:
	rtnl_unlock();
	return err;
}

/* ---- queue-del ---- */

static int vmq_nl_queue_del(struct sk_buff *skb, const struct genl_info *info,
			    struct vmq_adapter *a)
{
	struct vmq_queue *q = vmq_nl_queue(info, a);
	struct vmq_port *port;
	int err;

	if (IS_ERR(q))
		return PTR_ERR(q);
	if (!q->id) {
		NL_SET_ERR_MSG(info->extack, "the default queue can't be freed");
		return -EINVAL;
	}
	err = vmq_nl_queue_may(skb, q, info->extack);
	if (err)
		return err;
	port = rcu_dereference_protected(q->port, lockdep_rtnl_is_held());
	if (port) {
		NL_SET_ERR_MSG_FMT(info->extack, "queue %u belongs to port %s and goes with it",
				   q->id, port->dev->name);
		return -EPERM;
	}
	err = vmq_queue_next_state(q->state, VMQ_QEV_FREE);
	if (err < 0) {
		NL_SET_ERR_MSG_FMT(info->extack, "queue %u has %u filters; clear them first",
				   q->id, q->filters);
		return err;
	}
	vmq_queue_free(&q, 1);
	return 0;
}

/**
 * vmq_nl_queue_del_doit() - queue-del: when it returns the queue is free
 * @skb: the request
 * @info: the request, parsed
 *
 * Context: Process context.
 * Return: 0; -EINVAL for the default queue and -ENOENT for one that is not
 * allocated, -EBUSY while it has filters, -EPERM for one of a port
 * or of another socket, or another negative errno, with a message in extack.
 */
int vmq_nl_queue_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vmq_adapter *a;
	int err;

	rtnl_lock();
	a = vmq_nl_adapter(info);
	if (IS_ERR(a)) {
		err = PTR_ERR(a);
	} else {
		mutex_lock(&a->lock);
		err = vmq_nl_queue_del(skb, info, a);
		mutex_unlock(&a->lock);
	}
	rtnl_unlock();
	return err;
}
