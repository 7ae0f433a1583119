// SPDX-License-Identifier: GPL-2.0
/*
 * Generic netlink: VFs, their reset, and their back channel. A request that names
 * the adapter is the adapter's side of the channel; one that names the netdev of
 * a VF is the VF's.
 */
#include <linux/etherdevice.h>

#include "netlink.h"

static int vmq_fill_vf(struct sk_buff *msg, struct vmq_vf *vf)
{
	const struct vmq_path_vf *pv = &vf->path;
	const u8 *mac = vf->netdev ? vf->netdev->dev_addr : vf->cfg.mac;
	const struct net_device *dev = vf->adapter->dev;
	u32 vport = pv->user ? pv->vport :
		    vf->netdev && !vf->parked ? VMQ_VPORT_STATE_ACTIVATED :
						VMQ_VPORT_STATE_NONE;

	if (nla_put_u32(msg, VMQ_A_VF_IFINDEX, dev->ifindex) ||
	    nla_put_string(msg, VMQ_A_VF_DEV, dev->name) ||
	    nla_put_u32(msg, VMQ_A_VF_ID, pv->id) ||
	    nla_put_u32(msg, VMQ_A_VF_SERIAL, vf->serial) ||
	    nla_put(msg, VMQ_A_VF_MAC, ETH_ALEN, mac) ||
	    (pv->user && nla_put_string(msg, VMQ_A_VF_PORT,
					pv->user->dev->name)) ||
	    nla_put_u32(msg, VMQ_A_VF_VPORT, vport) ||
	    nla_put_u32(msg, VMQ_A_VF_QUEUE_PAIRS, 1) ||
	    nla_put_u8(msg, VMQ_A_VF_BOUND, !!vf->netdev) ||
	    nla_put_u32(msg, VMQ_A_VF_FILTERS, pv->queue.filters))
		return -EMSGSIZE;
	return 0;
}

/* The VF that a request to the adapter names. Context: rtnl held. */
static struct vmq_vf *vmq_nl_vf(const struct genl_info *info)
{
	struct vmq_adapter *a = vmq_nl_adapter(info);
	struct vmq_vf *vf;

	if (IS_ERR(a))
		return ERR_CAST(a);
	if (!info->attrs[VMQ_A_VF_ID]) {
		NL_SET_ERR_MSG(info->extack, "which VF? id is missing");
		return ERR_PTR(-EINVAL);
	}
	vf = vmq_vf_find(a, min_t(u32, INT_MAX,
				  nla_get_u32(info->attrs[VMQ_A_VF_ID])));
	if (!vf) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[VMQ_A_VF_ID],
				    "there is no such VF");
		return ERR_PTR(-ENOENT);
	}
	return vf;
}

/* The VF whose netdev the request names, or NULL. Context: rtnl held. */
static struct vmq_vf *vmq_nl_own_vf(const struct genl_info *info)
{
	struct nlattr *name = info->attrs[VMQ_A_VF_DEV];
	struct nlattr *ifindex = info->attrs[VMQ_A_VF_IFINDEX];
	struct net_device *dev = NULL;

	if (ifindex)
		dev = __dev_get_by_index(genl_info_net(info),
					 nla_get_u32(ifindex));
	else if (name)
		dev = __dev_get_by_name(genl_info_net(info), nla_data(name));
	if (!dev || !vmq_is_vf(dev) || (name && strcmp(dev->name, nla_data(name))))
		return NULL;
	return vmq_port_priv(dev)->vf;
}

/* That one, on its own side, or the one that a request to the adapter names. */
static struct vmq_vf *vmq_nl_vf_side(const struct genl_info *info, bool *own)
{
	struct vmq_vf *vf = vmq_nl_own_vf(info);

	*own = vf;
	return vf ?: vmq_nl_vf(info);
}

/* ---- vf-get ---- */

static int vmq_get_vf(struct sk_buff *msg, const struct genl_info *info)
{
	struct vmq_vf *vf = vmq_nl_vf(info);

	return IS_ERR(vf) ? PTR_ERR(vf) : vmq_fill_vf(msg, vf);
}

/**
 * vmq_nl_vf_get_doit() - vf-get of one VF
 * @skb: the request
 * @info: the request, parsed
 *
 * Context: Process context.
 * Return: 0 or a negative errno, with a message in extack.
 */
int vmq_nl_vf_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	return vmq_nl_get(info, vmq_get_vf);
}

static int vmq_dump_vfs(struct sk_buff *skb, struct netlink_callback *cb,
			struct vmq_adapter *a, unsigned long *pos)
{
	void *hdr;
	int err;

	if (!net_eq(dev_net(a->dev), sock_net(skb->sk)))
		return 0;
	for (; *pos < a->n_vfs; (*pos)++) {
		hdr = vmq_dump_start(skb, cb, VMQ_CMD_VF_GET);
		err = hdr ? vmq_fill_vf(skb, a->vfs[*pos]) : -EMSGSIZE;
		err = vmq_dump_end(skb, hdr, err);
		if (err)
			return err;
	}
	return 0;
}

/**
 * vmq_nl_vf_get_dumpit() - vf-get of all VFs, or one adapter's
 * @skb: the answer
 * @cb: state of the dump
 *
 * Context: Process context.
 * Return: bytes of the answer, 0 at the end, or a negative errno.
 */
int vmq_nl_vf_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return vmq_nl_dump(skb, cb, vmq_dump_vfs);
}

/* ---- vf-reset ---- */

/**
 * vmq_nl_vf_reset_doit() - vf-reset
 * @skb: the request
 * @info: the request, parsed
 *
 * Context: Process context.
 * Return: 0 or a negative errno, with a message in extack.
 */
int vmq_nl_vf_reset_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vmq_vf *vf;
	int err;

	rtnl_lock();
	vf = vmq_nl_vf(info);
	err = IS_ERR(vf) ? PTR_ERR(vf) : vmq_vf_flr(vf, info->extack);
	rtnl_unlock();
	return err;
}

/* ---- the back channel ---- */

static int vmq_fill_vf_side(struct sk_buff *msg, const struct vmq_vf *vf,
			    bool own)
{
	const struct net_device *dev = own ? vf->netdev : vf->adapter->dev;

	if (nla_put_u32(msg, VMQ_A_VF_IFINDEX, dev->ifindex) ||
	    nla_put_string(msg, VMQ_A_VF_DEV, dev->name) ||
	    nla_put_u32(msg, VMQ_A_VF_ID, vf->path.id))
		return -EMSGSIZE;
	return 0;
}

/* Told to the other side, in its network namespace. */
static void vmq_notify_vf_block(struct vmq_vf *vf, bool own, u32 block)
{
	const struct net_device *to = own ? vf->adapter->dev : vf->netdev;
	struct sk_buff *msg;
	void *hdr;

	if (!to || !genl_has_listeners(&vmq_nl_family, dev_net(to),
				       VMQ_NLGRP_EVENTS))
		return;
	msg = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!msg)
		return;
	hdr = genlmsg_put(msg, 0, 0, &vmq_nl_family, 0, VMQ_CMD_VF_BLOCK_NTF);
	if (!hdr || vmq_fill_vf_side(msg, vf, !own) ||
	    nla_put_u32(msg, VMQ_A_VF_BLOCK, block)) {
		nlmsg_free(msg);
		return;
	}
	genlmsg_end(msg, hdr);
	genlmsg_multicast_netns(&vmq_nl_family, dev_net(to), msg, 0,
				VMQ_NLGRP_EVENTS, GFP_KERNEL);
}

static int vmq_nl_block(const struct genl_info *info, u32 *block)
{
	if (!info->attrs[VMQ_A_VF_BLOCK]) {
		NL_SET_ERR_MSG(info->extack, "which block? block is missing");
		return -EINVAL;
	}
	*block = nla_get_u32(info->attrs[VMQ_A_VF_BLOCK]);
	return 0;
}

static int vmq_vf_block_get(struct sk_buff *msg, const struct genl_info *info)
{
	const struct vmq_vf_block *b;
	struct vmq_vf *vf;
	bool own;
	u32 id;
	int err;

	vf = vmq_nl_vf_side(info, &own);
	if (IS_ERR(vf))
		return PTR_ERR(vf);
	err = vmq_nl_block(info, &id);
	if (err)
		return err;
	b = vmq_vf_block_read(&vf->blocks, id);
	if (!b) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[VMQ_A_VF_BLOCK],
				    "the block was never written");
		return -ENOENT;
	}
	return vmq_fill_vf_side(msg, vf, own) ||
	       nla_put_u32(msg, VMQ_A_VF_BLOCK, id) ||
	       nla_put(msg, VMQ_A_VF_DATA, b->len, b->data) ? -EMSGSIZE : 0;
}

/**
 * vmq_nl_vf_block_get_doit() - vf-block-get
 * @skb: the request
 * @info: the request, parsed
 *
 * Context: Process context.
 * Return: 0 or a negative errno, with a message in extack.
 */
int vmq_nl_vf_block_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	return vmq_nl_get(info, vmq_vf_block_get);
}

static int vmq_vf_block_set(struct genl_info *info)
{
	struct nlattr *changed = info->attrs[VMQ_A_VF_CHANGED];
	struct nlattr *data = info->attrs[VMQ_A_VF_DATA];
	struct vmq_vf *vf;
	bool own;
	u32 id;
	int err;

	vf = vmq_nl_vf_side(info, &own);
	if (IS_ERR(vf))
		return PTR_ERR(vf);
	err = vmq_nl_block(info, &id);
	if (err)
		return err;
	if (own && changed) {
		NL_SET_ERR_MSG_ATTR(info->extack, changed,
				    "only the adapter says what changed");
		return -EINVAL;
	}
	if (!data && !changed) {
		NL_SET_ERR_MSG(info->extack, "neither data nor changed is given");
		return -EINVAL;
	}
	if (data) {
		err = vmq_vf_block_write(&vf->blocks, id, nla_data(data),
					 nla_len(data));
		if (err) {
			if (err == -EMSGSIZE)
				NL_SET_ERR_MSG_ATTR(info->extack, data,
						    "a block has at most 2048 bytes");
			return err;
		}
	}
	if (changed)
		vmq_vf_blocks_changed(&vf->blocks, nla_get_u64(changed));
	vmq_notify_vf_block(vf, own, id);
	return 0;
}

/**
 * vmq_nl_vf_block_set_doit() - vf-block-set
 * @skb: the request
 * @info: the request, parsed
 *
 * Context: Process context.
 * Return: 0 or a negative errno, with a message in extack.
 */
int vmq_nl_vf_block_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	int err;

	rtnl_lock();
	err = vmq_vf_block_set(info);
	rtnl_unlock();
	return err;
}

static int vmq_vf_block_changed(struct sk_buff *msg,
				const struct genl_info *info)
{
	/* only the VF asks: the request has no id of one */
	struct vmq_vf *vf = vmq_nl_own_vf(info);
	u64 changed;

	if (!vf) {
		NL_SET_ERR_MSG(info->extack, "the device is not the netdev of a VF");
		return -EINVAL;
	}
	changed = vmq_vf_blocks_take(&vf->blocks);
	if (vmq_fill_vf_side(msg, vf, true) ||
	    nla_put(msg, VMQ_A_VF_CHANGED, sizeof(changed), &changed)) {
		/* not handed over */
		vmq_vf_blocks_changed(&vf->blocks, changed);
		return -EMSGSIZE;
	}
	return 0;
}

/**
 * vmq_nl_vf_block_changed_doit() - vf-block-changed
 * @skb: the request
 * @info: the request, parsed
 *
 * Context: Process context.
 * Return: 0 or a negative errno, with a message in extack.
 */
int vmq_nl_vf_block_changed_doit(struct sk_buff *skb, struct genl_info *info)
{
	return vmq_nl_get(info, vmq_vf_block_changed);
}
