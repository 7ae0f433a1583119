// SPDX-License-Identifier: GPL-2.0
/*
 * Generic netlink: how dumps go on from one message to the next, adapter-get and
 * adapter-set.
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

static int vmq_nl_dump_adapters(struct sk_buff *skb,
				struct netlink_callback *cb, vmq_dump_fn *fn,
				bool all)
{
	const struct genl_info *info = genl_info_dump(cb);
	struct vmq_dump *at = vmq_dump(cb);
	struct vmq_adapter *a, *only = NULL;
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
		if (a->serial < at->adapter || (only && a != only) ||
		    !(all || net_eq(dev_net(a->dev), sock_net(skb->sk))))
			continue;
		/* where it stood may be gone by now */
		if (a->serial != at->adapter)
			at->pos = 0;
		at->adapter = a->serial;
		err = fn(skb, cb, a, &at->pos);
		if (err)
			break;
		at->adapter++;
		at->pos = 0;
	}
unlock:
	rtnl_unlock();
	return err == -EMSGSIZE && skb->len ? skb->len : err;
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
	return vmq_nl_dump_adapters(skb, cb, fn, false);
}

/**
 * vmq_nl_dump_all() - the same, with the adapters of other network namespaces
 * @skb: the answer
 * @cb: state of the dump
 * @fn: adds the messages of one adapter, those that are for this namespace
 *
 * Context: Process context; takes rtnl.
 * Return: bytes of the answer, 0 at the end, or a negative errno.
 */
int vmq_nl_dump_all(struct sk_buff *skb, struct netlink_callback *cb,
		    vmq_dump_fn *fn)
{
	return vmq_nl_dump_adapters(skb, cb, fn, true);
}

/* ---- adapter-get ---- */

static int vmq_get_adapter(struct sk_buff *msg, const struct genl_info *info)
{
	struct vmq_adapter *a = vmq_nl_adapter(info);

	return IS_ERR(a) ? PTR_ERR(a) : vmq_fill_adapter(msg, a);
}

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
	return vmq_nl_get(info, vmq_get_adapter);
}

static int vmq_dump_adapter(struct sk_buff *skb, struct netlink_callback *cb,
			    struct vmq_adapter *a, unsigned long *pos)
{
	void *hdr = vmq_dump_start(skb, cb, VMQ_CMD_ADAPTER_GET);
	int err = hdr ? vmq_fill_adapter(skb, a) : -EMSGSIZE;

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

/* ---- adapter-set ---- */

/**
 * vmq_nl_adapter_set_doit() - adapter-set
 * @skb: the request
 * @info: the request, parsed
 *
 * Context: Process context.
 * Return: 0 or a negative errno, with a message in extack.
 */
int vmq_nl_adapter_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *snooping = info->attrs[VMQ_A_ADAPTER_MCAST_SNOOPING];
	struct nlattr *private = info->attrs[VMQ_A_ADAPTER_PRIVATE];
	struct vmq_adapter *a;
	int err = 0;

	if (!private && !snooping) {
		NL_SET_ERR_MSG(info->extack, "nothing to change is given");
		return -EINVAL;
	}
	rtnl_lock();
	a = vmq_nl_adapter(info);
	if (IS_ERR(a))
		err = PTR_ERR(a);
	else if (private)
		err = vmq_adapter_set_private(a, nla_get_u8(private),
					      info->extack);
	/* it can't fail */
	if (!err && snooping)
		vmq_mcast_set_on(a, nla_get_u8(snooping));
	rtnl_unlock();
	return err;
}
