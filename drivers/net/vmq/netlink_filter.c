// SPDX-License-Identifier: GPL-2.0
/*
 * Generic netlink: filters, shown, set, moved and cleared.
 */
#include "netlink.h"

/* ---- filter-get ---- */

static int vmq_nl_filter_id(const struct genl_info *info, u32 *id)
{
	if (GENL_REQ_ATTR_CHECK(info, VMQ_A_FILTER_ID)) {
		NL_SET_ERR_MSG(info->extack, "which filter? id is missing");
		return -EINVAL;
	}
	*id = nla_get_u32(info->attrs[VMQ_A_FILTER_ID]);
	return 0;
}

static int vmq_fill_filter_id(struct sk_buff *msg, struct vmq_adapter *a,
			      u32 id, const struct genl_info *info)
{
	struct vmq_filter *f = NULL;
	int err;

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
	return err;
}

static int vmq_get_filter(struct sk_buff *msg, const struct genl_info *info)
{
	struct vmq_adapter *a = vmq_nl_adapter(info);
	int err;
	u32 id;

	if (IS_ERR(a))
		return PTR_ERR(a);
	err = vmq_nl_filter_id(info, &id);
	return err ? err : vmq_fill_filter_id(msg, a, id, info);
}

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
	return vmq_nl_get(info, vmq_get_filter);
}

/* Listing the filters of one queue, the default one allowed (F-12). */
static int vmq_nl_filter_queue(const struct genl_info *info,
			       struct vmq_adapter *a, u32 id)
{
	struct vmq_queue *q = vmq_queue_find(a, id);
	int err;

	if (!id)
		return 0;
	err = q ? vmq_queue_event(q, VMQ_QEV_LIST_FILTERS) : -ENOENT;
	if (err)
		NL_SET_ERR_MSG_FMT(info->extack, "queue %u is %s", id,
				   err == -ENOENT ? "not allocated" :
						    "being freed");
	return err;
}

static int vmq_dump_filters(struct sk_buff *skb, struct netlink_callback *cb,
			    struct vmq_adapter *a, unsigned long *pos)
{
	const struct genl_info *info = genl_info_dump(cb);
	struct nlattr *of = info->attrs[VMQ_A_FILTER_QUEUE];
	u32 queue = of ? nla_get_u32(of) : 0;
	struct vmq_filter *f;
	unsigned long loc;
	void *hdr;
	int err = 0;

	mutex_lock(&a->lock);
	if (of && !*pos)
		err = vmq_nl_filter_queue(info, a, queue);
	if (err)
		goto unlock;
	xa_for_each_start(&a->filters, loc, f, *pos) {
		*pos = loc;
		if (of && !vmq_filter_is_on(f, queue))
			continue;
		hdr = vmq_dump_start(skb, cb, VMQ_CMD_FILTER_GET);
		err = hdr ? vmq_fill_filter(skb, a, f, NULL) : -EMSGSIZE;
		err = vmq_dump_end(skb, hdr, err);
		if (err)
			break;
	}
unlock:
	mutex_unlock(&a->lock);
	return err;
}

/**
 * vmq_nl_filter_get_dumpit() - filter-get of all filters, one adapter's, or one
 * queue's (F-12)
 * @skb: the answer
 * @cb: state of the dump
 *
 * Context: Process context.
 * Return: bytes of the answer, 0 at the end, or a negative errno.
 */
int vmq_nl_filter_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	const struct genl_info *info = genl_info_dump(cb);

	if (info->attrs[VMQ_A_FILTER_QUEUE] && !vmq_nl_names_dev(info)) {
		NL_SET_ERR_MSG(info->extack, "queue of which adapter? dev or ifindex is missing");
		return -EINVAL;
	}
	return vmq_nl_dump(skb, cb, vmq_dump_filters);
}

/* ---- filter-new ---- */

/* The two sets have the same attributes under numbers of their own. */
static int vmq_nl_filter_spec(struct vmq_filter_spec *spec,
			      struct nlattr *queue, struct nlattr *mac,
			      struct nlattr *vlan, struct nlattr *untagged,
			      struct netlink_ext_ack *extack)
{
	int err;

	if (!queue || !mac) {
		NL_SET_ERR_MSG_FMT(extack, "%s is missing",
				   queue ? "mac" : "queue");
		return -EINVAL;
	}
	err = vmq_filter_client_spec(spec, nla_data(mac), vlan,
				     vlan ? nla_get_u16(vlan) : 0, untagged,
				     extack);
	spec->queue = nla_get_u32(queue);
	return err;
}

static int vmq_nl_filter_new_one(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr **attrs = info->attrs;
	struct vmq_filter_spec spec = {};
	struct vmq_owner *owner;
	struct vmq_adapter *a;
	struct sk_buff *msg;
	void *hdr;
	int err;

	err = vmq_nl_filter_spec(&spec, attrs[VMQ_A_FILTER_QUEUE],
				 attrs[VMQ_A_FILTER_MAC],
				 attrs[VMQ_A_FILTER_VLAN],
				 attrs[VMQ_A_FILTER_UNTAGGED], info->extack);
	if (err)
		return err;
	msg = vmq_nl_reply_start(info, &hdr);
	if (!msg)
		return -ENOMEM;
	rtnl_lock();
	owner = vmq_nl_client(skb, info, &a);
	if (IS_ERR(owner)) {
		err = PTR_ERR(owner);
		goto unlock;
	}
	err = vmq_filter_client_set(a, &spec, owner, attrs[VMQ_A_FILTER_KEEP],
				    info->extack);
	/* there is room for it, so nothing has to be undone */
	if (!err)
		err = vmq_fill_filter_id(msg, a, vmq_filter_id(spec.location),
					 info);
	vmq_owner_put(owner);
unlock:
	rtnl_unlock();
	return vmq_nl_reply_end(info, msg, hdr, err);
}

static int vmq_nl_filter_entry(struct genl_info *info, struct vmq_adapter *a,
			       struct vmq_owner *owner,
			       const struct nlattr *attr, u32 *id,
			       struct netlink_ext_ack *extack)
{
	struct nlattr *tb[VMQ_A_FILTER_ENTRY_MAX + 1];
	struct vmq_filter_spec spec = {};
	int err;

	*id = 0;
	/* the whole request was checked against the policy */
	err = nla_parse_nested(tb, VMQ_A_FILTER_ENTRY_MAX, attr,
			       vmq_filter_entry_nl_policy, extack);
	if (err)
		return err;
	err = vmq_nl_filter_spec(&spec, tb[VMQ_A_FILTER_ENTRY_QUEUE] ?:
				 info->attrs[VMQ_A_FILTER_QUEUE],
				 tb[VMQ_A_FILTER_ENTRY_MAC],
				 tb[VMQ_A_FILTER_ENTRY_VLAN],
				 tb[VMQ_A_FILTER_ENTRY_UNTAGGED], extack);
	if (err)
		return err;
	err = vmq_filter_client_set(a, &spec, owner,
				    info->attrs[VMQ_A_FILTER_KEEP], extack);
	if (!err)
		*id = vmq_filter_id(spec.location);
	return err;
}

static int vmq_nl_filter_new_many(struct sk_buff *skb, struct genl_info *info)
{
	struct vmq_owner *owner;
	struct vmq_adapter *a;
	struct nlattr *attr;
	struct vmq_batch b;
	int err, rem;

	if (info->attrs[VMQ_A_FILTER_MAC] || info->attrs[VMQ_A_FILTER_VLAN] ||
	    info->attrs[VMQ_A_FILTER_UNTAGGED]) {
		NL_SET_ERR_MSG(info->extack, "give either one filter or entries");
		return -EINVAL;
	}
	err = vmq_batch_start(&b, info, VMQ_A_FILTER_ENTRY,
			      VMQ_A_FILTER_STATUS);
	if (err)
		return err;
	rtnl_lock();
	owner = vmq_nl_client(skb, info, &a);
	if (IS_ERR(owner)) {
		err = PTR_ERR(owner);
		goto unlock;
	}
	err = vmq_fill_dev(b.msg, a->dev);
	if (err)
		goto put;
	nla_for_each_attr_type(attr, VMQ_A_FILTER_ENTRY,
			       genlmsg_data(info->genlhdr),
			       genlmsg_len(info->genlhdr), rem) {
		struct netlink_ext_ack extack = {};
		u32 id;
		int bad;

		bad = vmq_nl_filter_entry(info, a, owner, attr, &id, &extack);
		vmq_batch_put(&b, id, bad, &extack);
	}
put:
	vmq_owner_put(owner);
unlock:
	rtnl_unlock();
	return vmq_batch_end(&b, info, err);
}

/**
 * vmq_nl_filter_new_doit() - filter-new, of one filter or of many
 * @skb: the request
 * @info: the request, parsed
 *
 * Of many, each succeeds or fails by itself, and its status is in the answer.
 *
 * Context: Process context.
 * Return: 0 or a negative errno, with a message in extack.
 */
int vmq_nl_filter_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	return info->attrs[VMQ_A_FILTER_ENTRY] ?
	       vmq_nl_filter_new_many(skb, info) :
	       vmq_nl_filter_new_one(skb, info);
}

/* ---- filter-move, filter-del ---- */

/* Is a filter on the queue that a request names (O-13)? */
static int vmq_nl_filter_is_on(struct vmq_adapter *a, u32 id,
			       const struct nlattr *queue,
			       struct netlink_ext_ack *extack)
{
	struct vmq_filter *f = NULL;

	if (!queue)
		return 0;
	if (id && id <= VMQ_MAX_FILTERS)
		f = xa_load(&a->filters, id - 1);
	if (f && vmq_filter_is_on(f, nla_get_u32(queue)))
		return 0;
	NL_SET_ERR_MSG_FMT(extack, "there is no filter %u on queue %u", id,
			   nla_get_u32(queue));
	return -ENOENT;
}

/**
 * vmq_nl_filter_move_doit() - filter-move
 * @skb: the request
 * @info: the request, parsed
 *
 * Context: Process context.
 * Return: 0 or a negative errno, with a message in extack.
 */
int vmq_nl_filter_move_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vmq_adapter *a;
	struct sk_buff *msg;
	void *hdr;
	int err;
	u32 id;

	err = vmq_nl_filter_id(info, &id);
	if (err)
		return err;
	if (GENL_REQ_ATTR_CHECK(info, VMQ_A_FILTER_QUEUE)) {
		NL_SET_ERR_MSG(info->extack, "where to? queue is missing");
		return -EINVAL;
	}
	msg = vmq_nl_reply_start(info, &hdr);
	if (!msg)
		return -ENOMEM;
	rtnl_lock();
	a = vmq_nl_adapter(info);
	err = IS_ERR(a) ? PTR_ERR(a) :
	      vmq_nl_filter_is_on(a, id, info->attrs[VMQ_A_FILTER_FROM],
				  info->extack);
	if (!err)
		err = vmq_filter_client_move(a, id, nla_get_u32(info->attrs[VMQ_A_FILTER_QUEUE]),
					     vmq_owner_find(NETLINK_CB(skb).sk),
					     info->extack);
	if (!err)
		err = vmq_fill_filter_id(msg, a, id, info);
	rtnl_unlock();
	return vmq_nl_reply_end(info, msg, hdr, err);
}

static int vmq_nl_filter_del(struct sk_buff *skb, const struct genl_info *info,
			     struct vmq_adapter *a, u32 id,
			     struct netlink_ext_ack *extack)
{
	int err = vmq_nl_filter_is_on(a, id, info->attrs[VMQ_A_FILTER_QUEUE],
				      extack);

	return err ? err : vmq_filter_client_clear(a, id, vmq_owner_find(NETLINK_CB(skb).sk),
						   extack);
}

static int vmq_nl_filter_del_many(struct sk_buff *skb, struct genl_info *info)
{
	struct vmq_adapter *a;
	struct nlattr *attr;
	struct vmq_batch b;
	bool any = false;
	int err, rem;

	err = vmq_batch_start(&b, info, VMQ_A_FILTER_IDS, VMQ_A_FILTER_STATUS);
	if (err)
		return err;
	rtnl_lock();
	a = vmq_nl_adapter(info);
	err = IS_ERR(a) ? PTR_ERR(a) : vmq_fill_dev(b.msg, a->dev);
	if (err)
		goto unlock;
	nla_for_each_attr_type(attr, VMQ_A_FILTER_IDS,
			       genlmsg_data(info->genlhdr),
			       genlmsg_len(info->genlhdr), rem) {
		struct netlink_ext_ack extack = {};
		u32 id = nla_get_u32(attr);
		int bad;

		bad = vmq_nl_filter_del(skb, info, a, id, &extack);
		vmq_batch_put(&b, id, bad, &extack);
		any = any || !bad;
	}
	if (any)
		synchronize_net();
unlock:
	rtnl_unlock();
	return vmq_batch_end(&b, info, err);
}

/**
 * vmq_nl_filter_del_doit() - filter-del, of one filter or of many
 * @skb: the request
 * @info: the request, parsed
 *
 * Context: Process context.
 * Return: 0 or a negative errno, with a message in extack.
 */
int vmq_nl_filter_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vmq_adapter *a;
	int err;
	u32 id;

	if (info->attrs[VMQ_A_FILTER_IDS]) {
		if (!info->attrs[VMQ_A_FILTER_ID])
			return vmq_nl_filter_del_many(skb, info);
		NL_SET_ERR_MSG(info->extack, "give either id or ids");
		return -EINVAL;
	}
	err = vmq_nl_filter_id(info, &id);
	if (err)
		return err;
	rtnl_lock();
	a = vmq_nl_adapter(info);
	err = IS_ERR(a) ? PTR_ERR(a) :
	      vmq_nl_filter_del(skb, info, a, id, info->extack);
	if (!err)
		synchronize_net();
	rtnl_unlock();
	return err;
}
