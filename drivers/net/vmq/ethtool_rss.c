// SPDX-License-Identifier: GPL-2.0
/*
 * ethtool -x, -X and the fields of -n and -N: translates between ethtool and the
 * tables of rss.c, for adapters, their contexts and ports.
 */
#include <linux/ethtool.h>

#include "vmq_priv.h"

/* What of a netdev has a table; of a port with one queue nothing. */
static struct vmq_spread *vmq_rxfh_spread(struct net_device *dev,
					  struct vmq_adapter **a)
{
	struct vmq_port *port;

	if (vmq_is_adapter(dev)) {
		*a = vmq_adapter_priv(dev);
		return &(*a)->spread;
	}
	port = vmq_port_priv(dev);
	*a = port->adapter;
	/* one that was made for several queues, and has any */
	return rcu_access_pointer(port->soft.rss) ? &port->spread : NULL;
}

/**
 * vmq_rxfh_key_size() - length of the key
 * @dev: netdev of an adapter or port
 *
 * Context: Process context, rtnl held.
 * Return: bytes, 0 where nothing is spread.
 */
u32 vmq_rxfh_key_size(struct net_device *dev)
{
	struct vmq_adapter *a;

	return vmq_rxfh_spread(dev, &a) ? VMQ_RSS_KEY_LEN : 0;
}

/**
 * vmq_rxfh_indir_size() - entries of the table
 * @dev: netdev of an adapter or port
 *
 * Context: Process context, rtnl held.
 * Return: the number, a power of two (V-40), 0 where nothing is spread.
 */
u32 vmq_rxfh_indir_size(struct net_device *dev)
{
	struct vmq_spread *s;
	struct vmq_adapter *a;

	s = vmq_rxfh_spread(dev, &a);
	return s ? vmq_rss_size(a, s) : 0;
}

/**
 * vmq_rxfh_get() - ethtool -x
 * @dev: netdev of an adapter or port
 * @rxfh: room for the answer
 *
 * A port with one queue has no table, which is no error: that would end a dump of
 * all devices.
 *
 * Context: Process context, rtnl held.
 * Return: 0 or -ENOMEM.
 */
int vmq_rxfh_get(struct net_device *dev, struct ethtool_rxfh_param *rxfh)
{
	struct vmq_rss_hash *hash = NULL;
	struct vmq_spread *s;
	struct vmq_adapter *a;

	rxfh->hfunc = ETH_RSS_HASH_TOP;
	rxfh->input_xfrm = 0;
	s = vmq_rxfh_spread(dev, &a);
	if (!s)
		return 0;
	if (rxfh->key) {
		hash = kmalloc(sizeof(*hash), GFP_KERNEL);
		if (!hash)
			return -ENOMEM;
	}
	vmq_rss_get(a, s, rxfh->indir, hash);
	if (hash)
		memcpy(rxfh->key, hash->key, VMQ_RSS_KEY_LEN);
	kfree(hash);
	return 0;
}

static int vmq_rxfh_check(const struct ethtool_rxfh_param *rxfh,
			  struct netlink_ext_ack *extack)
{
	if (rxfh->hfunc != ETH_RSS_HASH_NO_CHANGE &&
	    rxfh->hfunc != ETH_RSS_HASH_TOP) {
		NL_SET_ERR_MSG(extack, "the hash function is toeplitz");
		return -EOPNOTSUPP;
	}
	if (rxfh->input_xfrm != RXH_XFRM_NO_CHANGE && rxfh->input_xfrm) {
		NL_SET_ERR_MSG(extack, "the hash is not symmetric");
		return -EOPNOTSUPP;
	}
	return 0;
}

static int vmq_rxfh_change(struct net_device *dev, struct vmq_adapter *a,
			   struct vmq_spread *s,
			   const struct ethtool_rxfh_param *rxfh,
			   struct netlink_ext_ack *extack)
{
	struct netlink_ext_ack own = {};
	struct vmq_rss_change change = {
		.table = rxfh->indir,
		.key = rxfh->key,
	};
	int err;

	err = vmq_rxfh_check(rxfh, extack);
	if (err || (!change.table && !change.key))
		return err;
	/* an ioctl has none */
	extack = extack ?: &own;
	err = vmq_rss_change(a, s, &change, extack);
	if (err)
		netdev_dbg(dev, "%s\n", extack->_msg ?: "no such table");
	return err;
}

/**
 * vmq_rxfh_set() - ethtool -X
 * @dev: netdev of an adapter or port
 * @rxfh: what is asked for
 * @extack: says why not, or NULL
 *
 * Context: Process context, rtnl held.
 * Return: 0, -EOPNOTSUPP for another hash function or a port with one queue, or
 * the errors of vmq_rss_change().
 */
int vmq_rxfh_set(struct net_device *dev, struct ethtool_rxfh_param *rxfh,
		 struct netlink_ext_ack *extack)
{
	struct vmq_spread *s;
	struct vmq_adapter *a;

	s = vmq_rxfh_spread(dev, &a);
	if (!s) {
		NL_SET_ERR_MSG(extack, "a port made for one queue has no table");
		return -EOPNOTSUPP;
	}
	return vmq_rxfh_change(dev, a, s, rxfh, extack);
}

/* ---- contexts, of adapters alone ---- */

static struct vmq_rss_ctx *vmq_rxfh_ctx(struct ethtool_rxfh_context *core)
{
	return *(struct vmq_rss_ctx **)ethtool_rxfh_context_priv(core);
}

/**
 * vmq_rxfh_create() - ethtool -X context new
 * @dev: netdev of an adapter
 * @core: the context, as the core keeps it; what @rxfh leaves open is filled in
 * @rxfh: what is asked for
 * @extack: says why not, or NULL
 *
 * Context: Process context, rtnl held.
 * Return: 0, -EOPNOTSUPP for another hash function, or the errors of
 * vmq_rss_ctx_new().
 */
int vmq_rxfh_create(struct net_device *dev, struct ethtool_rxfh_context *core,
		    const struct ethtool_rxfh_param *rxfh,
		    struct netlink_ext_ack *extack)
{
	struct vmq_adapter *a = vmq_adapter_priv(dev);
	struct vmq_rss_change change = {
		.table = rxfh->indir,
		.key = rxfh->key,
	};
	struct netlink_ext_ack own = {};
	struct vmq_rss_hash *hash;
	struct vmq_rss_ctx *ctx;
	int err;

	err = vmq_rxfh_check(rxfh, extack);
	if (err)
		return err;
	hash = kmalloc(sizeof(*hash), GFP_KERNEL);
	if (!hash)
		return -ENOMEM;
	extack = extack ?: &own;
	ctx = vmq_rss_ctx_new(a, rxfh->rss_context, core, &change, extack);
	if (IS_ERR(ctx)) {
		netdev_dbg(dev, "%s\n", extack->_msg ?: "no such context");
		kfree(hash);
		return PTR_ERR(ctx);
	}
	*(struct vmq_rss_ctx **)ethtool_rxfh_context_priv(core) = ctx;
	vmq_rss_get(a, &ctx->spread, ethtool_rxfh_context_indir(core), hash);
	memcpy(ethtool_rxfh_context_key(core), hash->key, VMQ_RSS_KEY_LEN);
	kfree(hash);
	core->hfunc = ETH_RSS_HASH_TOP;
	core->input_xfrm = 0;
	return 0;
}

/**
 * vmq_rxfh_modify() - ethtool -X context N
 * @dev: netdev of an adapter
 * @core: the context
 * @rxfh: what is asked for
 * @extack: says why not, or NULL
 *
 * Context: Process context, rtnl held.
 * Return: 0, -EOPNOTSUPP for another hash function, or the errors of
 * vmq_rss_change().
 */
int vmq_rxfh_modify(struct net_device *dev, struct ethtool_rxfh_context *core,
		    const struct ethtool_rxfh_param *rxfh,
		    struct netlink_ext_ack *extack)
{
	return vmq_rxfh_change(dev, vmq_adapter_priv(dev),
			       &vmq_rxfh_ctx(core)->spread, rxfh, extack);
}

/**
 * vmq_rxfh_remove() - ethtool -X context N delete
 * @dev: netdev of an adapter
 * @core: the context
 * @id: its id
 * @extack: says why not, or NULL
 *
 * Context: Process context, rtnl held.
 * Return: 0, or -EBUSY if a rule names it.
 */
int vmq_rxfh_remove(struct net_device *dev, struct ethtool_rxfh_context *core,
		    u32 id, struct netlink_ext_ack *extack)
{
	struct vmq_rss_ctx *ctx = vmq_rxfh_ctx(core);

	if (vmq_rss_is_named(&ctx->spread)) {
		NL_SET_ERR_MSG(extack, "a rule names the context");
		return -EBUSY;
	}
	vmq_rss_ctx_del(vmq_adapter_priv(dev), ctx);
	return 0;
}

/* ---- fields ---- */

static enum vmq_rss_type vmq_rxfh_type(u32 flow_type)
{
	switch (flow_type) {
	case IPV4_FLOW:
	case AH_ESP_V4_FLOW:
	case AH_V4_FLOW:
	case ESP_V4_FLOW:
		return VMQ_RSS_IP4;
	case TCP_V4_FLOW:
		return VMQ_RSS_TCP4;
	case UDP_V4_FLOW:
		return VMQ_RSS_UDP4;
	case SCTP_V4_FLOW:
		return VMQ_RSS_SCTP4;
	case IPV6_FLOW:
	case AH_ESP_V6_FLOW:
	case AH_V6_FLOW:
	case ESP_V6_FLOW:
		return VMQ_RSS_IP6;
	case TCP_V6_FLOW:
		return VMQ_RSS_TCP6;
	case UDP_V6_FLOW:
		return VMQ_RSS_UDP6;
	case SCTP_V6_FLOW:
		return VMQ_RSS_SCTP6;
	}
	return VMQ_RSS_NO_TYPE;
}

static const struct {
	u32 rxh;
	u8 field;
} vmq_rxfh_bits[] = {
	{ RXH_IP_SRC, VMQ_RSS_SRC },
	{ RXH_IP_DST, VMQ_RSS_DST },
	{ RXH_L4_B_0_1, VMQ_RSS_SPORT },
	{ RXH_L4_B_2_3, VMQ_RSS_DPORT },
};

/* The table that the fields are of. */
static int vmq_rxfh_fields_of(struct net_device *dev,
			      const struct ethtool_rxfh_fields *fields,
			      struct vmq_adapter **a, struct vmq_spread **s)
{
	struct vmq_rss_ctx *ctx;

	*s = vmq_rxfh_spread(dev, a);
	if (!*s)
		return -EOPNOTSUPP;
	if (!fields->rss_context)
		return 0;
	ctx = vmq_is_adapter(dev) ? vmq_rss_ctx_find(*a, fields->rss_context) :
				    NULL;
	if (!ctx)
		return -ENOENT;
	*s = &ctx->spread;
	return 0;
}

/**
 * vmq_rxfh_fields_get() - ethtool -n rx-flow-hash
 * @dev: netdev of an adapter or port
 * @fields: flow type and context; the fields are written to it
 *
 * Context: Process context, rtnl held.
 * Return: 0, -EOPNOTSUPP for a port with one queue, -EINVAL for a flow type that
 * is not hashed, -ENOENT if there is no such context, or -ENOMEM.
 */
int vmq_rxfh_fields_get(struct net_device *dev,
			struct ethtool_rxfh_fields *fields)
{
	enum vmq_rss_type type = vmq_rxfh_type(fields->flow_type);
	struct vmq_rss_hash *hash;
	struct vmq_spread *s;
	struct vmq_adapter *a;
	unsigned int i;
	int err;

	err = vmq_rxfh_fields_of(dev, fields, &a, &s);
	if (err)
		return err;
	fields->data = 0;
	if (type == VMQ_RSS_NO_TYPE)
		return -EINVAL;
	hash = kmalloc(sizeof(*hash), GFP_KERNEL);
	if (!hash)
		return -ENOMEM;
	vmq_rss_get(a, s, NULL, hash);
	for (i = 0; i < ARRAY_SIZE(vmq_rxfh_bits); i++)
		if (hash->fields[type] & vmq_rxfh_bits[i].field)
			fields->data |= vmq_rxfh_bits[i].rxh;
	kfree(hash);
	return 0;
}

/**
 * vmq_rxfh_fields_set() - ethtool -N rx-flow-hash
 * @dev: netdev of an adapter or port
 * @fields: flow type, context and fields
 * @extack: says why not, or NULL
 *
 * Context: Process context, rtnl held.
 * Return: 0, the errors of vmq_rxfh_fields_get(), or -EOPNOTSUPP for a field that
 * can't be hashed.
 */
int vmq_rxfh_fields_set(struct net_device *dev,
			const struct ethtool_rxfh_fields *fields,
			struct netlink_ext_ack *extack)
{
	enum vmq_rss_type type = vmq_rxfh_type(fields->flow_type);
	u32 rest = fields->data, ports = RXH_L4_B_0_1 | RXH_L4_B_2_3;
	struct vmq_rss_change change = {};
	struct vmq_rss_hash *hash;
	struct vmq_spread *s;
	struct vmq_adapter *a;
	unsigned int i;
	int err;

	err = vmq_rxfh_fields_of(dev, fields, &a, &s);
	if (err)
		return err;
	if (type == VMQ_RSS_NO_TYPE) {
		NL_SET_ERR_MSG(extack, "this flow type is not hashed");
		return -EINVAL;
	}
	hash = kmalloc(sizeof(*hash), GFP_KERNEL);
	if (!hash)
		return -ENOMEM;
	vmq_rss_get(a, s, NULL, hash);
	hash->fields[type] = 0;
	for (i = 0; i < ARRAY_SIZE(vmq_rxfh_bits); i++) {
		if (!(rest & vmq_rxfh_bits[i].rxh))
			continue;
		hash->fields[type] |= vmq_rxfh_bits[i].field;
		rest &= ~vmq_rxfh_bits[i].rxh;
	}
	err = -EOPNOTSUPP;
	if (rest) {
		NL_SET_ERR_MSG(extack, "only IP addresses and ports are hashed");
	} else if ((type == VMQ_RSS_IP4 || type == VMQ_RSS_IP6) &&
		   (fields->data & ports)) {
		NL_SET_ERR_MSG(extack, "this flow type has no ports");
	} else {
		change.fields = hash->fields;
		err = vmq_rss_change(a, s, &change, extack);
	}
	kfree(hash);
	return err;
}

/**
 * vmq_rxfh_nfc_get() - fields and rings, where the kernel asks by a command
 * @dev: netdev of an adapter or port
 * @info: what is asked for, and the answer
 *
 * Context: Process context, rtnl held.
 * Return: 0, the errors of vmq_rxfh_fields_get(), or -EOPNOTSUPP.
 */
int vmq_rxfh_nfc_get(struct net_device *dev, struct ethtool_rxnfc *info)
{
	struct ethtool_rxfh_fields fields = {
		.flow_type = info->flow_type & ~FLOW_RSS,
		.rss_context = info->flow_type & FLOW_RSS ?
			       info->rss_context : 0,
	};
	int err;

	switch (info->cmd) {
	case ETHTOOL_GRXRINGS:
		info->data = vmq_nfc_rings(dev);
		return 0;
	case ETHTOOL_GRXFH:
		err = vmq_rxfh_fields_get(dev, &fields);
		info->data = fields.data;
		return err;
	}
	return -EOPNOTSUPP;
}

/**
 * vmq_rxfh_nfc_set() - fields, where the kernel sets them by a command
 * @dev: netdev of an adapter or port
 * @info: what is asked for
 *
 * Context: Process context, rtnl held.
 * Return: 0, the errors of vmq_rxfh_fields_set(), or -EOPNOTSUPP.
 */
int vmq_rxfh_nfc_set(struct net_device *dev, const struct ethtool_rxnfc *info)
{
	struct netlink_ext_ack extack = {};
	struct ethtool_rxfh_fields fields = {
		.flow_type = info->flow_type & ~FLOW_RSS,
		.rss_context = info->flow_type & FLOW_RSS ?
			       info->rss_context : 0,
		.data = info->data,
	};
	int err;

	if (info->cmd != ETHTOOL_SRXFH)
		return -EOPNOTSUPP;
	err = vmq_rxfh_fields_set(dev, &fields, &extack);
	if (err)
		netdev_dbg(dev, "%s\n", extack._msg ?: "no such fields");
	return err;
}
