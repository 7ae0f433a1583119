// SPDX-License-Identifier: GPL-2.0
/*
 * The core record: what of the port itself moves with it, as a list of items.
 *
 * An item is a type, a length, data, and zeros up to a multiple of 4 bytes, all
 * little endian, in any order and at most once. Nothing of this host's is in it
 * (SR-34). Pure functions: the record comes from another host and is believed
 * in nothing.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "state_tlv.h"

struct vmq_core_tlv {
	__le16 type;
	__le16 len;
};

struct vmq_core_filter_wire {
	u8 mac[ETH_ALEN];
	__le16 vid;
	__le16 index;
	__le16 reserved;
};

struct vmq_core_policy_wire {
	__le16 pvid;
	__le16 flags;		/* of enum vmq_core_policy_flags */
};

/* VLAN ids of a trunk, from first to last. */
struct vmq_core_range_wire {
	__le16 first;
	__le16 last;
};

#define VMQ_CORE_MAX_COUNTERS	64

/* Order of the counters. Only ever append: it is a format. */
static const u16 vmq_core_counter[] = {
	offsetof(struct vmq_stats, rx_packets),
	offsetof(struct vmq_stats, rx_bytes),
	offsetof(struct vmq_stats, tx_packets),
	offsetof(struct vmq_stats, tx_bytes),
	offsetof(struct vmq_stats, tx_drops),
	offsetof(struct vmq_stats, multicast),
	offsetof(struct vmq_stats, drops[VMQ_DROP_STATE]),
	offsetof(struct vmq_stats, drops[VMQ_DROP_DOWN]),
	offsetof(struct vmq_stats, drops[VMQ_DROP_READER]),
	offsetof(struct vmq_stats, drops[VMQ_DROP_FULL]),
	offsetof(struct vmq_stats, drops[VMQ_DROP_EXT]),
	offsetof(struct vmq_stats, drops[VMQ_DROP_NOMEM]),
	offsetof(struct vmq_stats, drops[VMQ_DROP_FILTER]),
	offsetof(struct vmq_stats, tx_ext_drops),
	offsetof(struct vmq_stats, drops[VMQ_DROP_VLAN]),
	offsetof(struct vmq_stats, tx_cause[VMQ_TX_VLAN]),
	offsetof(struct vmq_stats, tx_cause[VMQ_TX_SPOOFED]),
	offsetof(struct vmq_stats, tx_cause[VMQ_TX_ISOLATED]),
};

static u64 *vmq_core_counter_at(struct vmq_stats *stats, unsigned int i)
{
	return (void *)stats + vmq_core_counter[i];
}

/* ---- writing ---- */

static bool vmq_core_has(const struct vmq_core_state *st,
			 enum vmq_core_item item)
{
	return st->present & BIT(item);
}

static void vmq_core_put_ranges(const struct vmq_policy *p,
				struct vmq_core_range_wire *wire)
{
	unsigned int first, end;

	for_each_set_bitrange(first, end, p->allowed, VLAN_N_VID) {
		wire->first = cpu_to_le16(first);
		wire->last = cpu_to_le16(end - 1);
		wire++;
	}
}

static void vmq_core_put_policy(const struct vmq_policy *p, void *data)
{
	struct vmq_core_policy_wire wire = {
		.pvid = cpu_to_le16(p->pvid),
		.flags = cpu_to_le16((p->trunk ? VMQ_CORE_TRUNK : 0) |
				     (p->isolate ? VMQ_CORE_ISOLATE : 0) |
				     (p->spoofchk ? VMQ_CORE_SPOOFCHK : 0)),
	};

	memcpy(data, &wire, sizeof(wire));
	/* items are at multiples of 4 bytes */
	vmq_core_put_ranges(p, data + sizeof(wire));
}

static size_t vmq_core_item_len(const struct vmq_core_state *st,
				enum vmq_core_item item)
{
	switch (item) {
	case VMQ_CORE_UUID:
		return UUID_SIZE;
	case VMQ_CORE_MAC:
		return ETH_ALEN;
	case VMQ_CORE_MTU:
	case VMQ_CORE_RX_MODE:
	case VMQ_CORE_QUEUES:
		return sizeof(__le32);
	case VMQ_CORE_FILTERS:
		return st->n_filters * sizeof(struct vmq_core_filter_wire);
	case VMQ_CORE_MC:
		return st->n_mc * ETH_ALEN;
	case VMQ_CORE_QUEUE_NAME:
		return strnlen(st->queue_name, sizeof(st->queue_name));
	case VMQ_CORE_POLICY:
		return sizeof(struct vmq_core_policy_wire) +
		       vmq_policy_ranges(&st->policy) *
		       sizeof(struct vmq_core_range_wire);
	case VMQ_CORE_COUNTERS:
		return sizeof(vmq_core_counter) / sizeof(u16) * sizeof(__le64);
	case VMQ_CORE_RSS:
		return vmq_core_rss_len(st->rss);
	case VMQ_CORE_QUEUE_PARAMS:
		return vmq_core_queue_len(st->params, st->n_params);
	default:
		return 0;
	}
}

static void vmq_core_put_filters(const struct vmq_core_state *st, void *data)
{
	struct vmq_core_filter_wire wire = {};
	u32 i;

	for (i = 0; i < st->n_filters; i++) {
		ether_addr_copy(wire.mac, st->filters[i].mac);
		wire.vid = cpu_to_le16(st->filters[i].vid);
		wire.index = cpu_to_le16(st->filters[i].index);
		memcpy(data, &wire, sizeof(wire));
		data += sizeof(wire);
	}
}

static void vmq_core_put_item(const struct vmq_core_state *st,
			      enum vmq_core_item item, void *data)
{
	struct vmq_stats stats = st->stats;
	unsigned int i;
	__le64 count;
	__le32 word;

	switch (item) {
	case VMQ_CORE_UUID:
		export_uuid(data, &st->uuid);
		return;
	case VMQ_CORE_MAC:
		memcpy(data, st->mac, ETH_ALEN);
		return;
	case VMQ_CORE_MTU:
		word = cpu_to_le32(st->mtu);
		break;
	case VMQ_CORE_RX_MODE:
		word = cpu_to_le32(st->rx_mode);
		break;
	case VMQ_CORE_QUEUES:
		word = cpu_to_le32(st->queues);
		break;
	case VMQ_CORE_FILTERS:
		vmq_core_put_filters(st, data);
		return;
	case VMQ_CORE_MC:
		if (st->n_mc)
			memcpy(data, st->mc, st->n_mc * ETH_ALEN);
		return;
	case VMQ_CORE_QUEUE_NAME:
		memcpy(data, st->queue_name, vmq_core_item_len(st, item));
		return;
	case VMQ_CORE_POLICY:
		vmq_core_put_policy(&st->policy, data);
		return;
	case VMQ_CORE_COUNTERS:
		for (i = 0; i < ARRAY_SIZE(vmq_core_counter); i++) {
			count = cpu_to_le64(*vmq_core_counter_at(&stats, i));
			memcpy(data + i * sizeof(count), &count, sizeof(count));
		}
		return;
	case VMQ_CORE_RSS:
		vmq_core_rss_put(st->rss, data);
		return;
	case VMQ_CORE_QUEUE_PARAMS:
		vmq_core_queue_put(st->params, st->n_params, data);
		return;
	default:
		return;
	}
	memcpy(data, &word, sizeof(word));
}

/**
 * vmq_core_size() - bytes of a core record
 * @st: what is to be in it
 *
 * Context: Any.
 * Return: the bytes.
 */
size_t vmq_core_size(const struct vmq_core_state *st)
{
	unsigned int item;
	size_t size = 0;

	for (item = 1; item < VMQ_CORE_ITEMS; item++)
		if (vmq_core_has(st, item))
			size += sizeof(struct vmq_core_tlv) +
				ALIGN(vmq_core_item_len(st, item), 4);
	return size;
}

/**
 * vmq_core_encode() - writes a core record
 * @st: what is to be in it
 * @rec: its room is filled
 *
 * Context: Any.
 * Return: bytes used, or -EMSGSIZE with the bytes that are needed in @rec (SR-07).
 */
int vmq_core_encode(const struct vmq_core_state *st, struct vmq_record *rec)
{
	size_t size = vmq_core_size(st), len;
	struct vmq_core_tlv tlv;
	void *pos = rec->data;
	unsigned int item;

	if (size > rec->size) {
		rec->needed = size;
		return -EMSGSIZE;
	}
	for (item = 1; item < VMQ_CORE_ITEMS; item++) {
		if (!vmq_core_has(st, item))
			continue;
		len = vmq_core_item_len(st, item);
		tlv.type = cpu_to_le16(item);
		tlv.len = cpu_to_le16(len);
		memcpy(pos, &tlv, sizeof(tlv));
		pos += sizeof(tlv);
		vmq_core_put_item(st, item, pos);
		memset(pos + len, 0, ALIGN(len, 4) - len);
		pos += ALIGN(len, 4);
	}
	rec->version = VMQ_CORE_VERSION;
	return size;
}

/* ---- reading ---- */

static int vmq_core_get_word(const void *data, size_t len, u32 *word,
			     struct netlink_ext_ack *extack)
{
	__le32 wire;

	if (len != sizeof(wire)) {
		NL_SET_ERR_MSG(extack, "number of wrong length");
		return -EINVAL;
	}
	memcpy(&wire, data, sizeof(wire));
	*word = le32_to_cpu(wire);
	return 0;
}

static int vmq_core_get_filters(struct vmq_core_state *st, const void *data,
				size_t len, struct netlink_ext_ack *extack)
{
	u32 i, n = len / sizeof(struct vmq_core_filter_wire);
	struct vmq_core_filter_wire wire;

	if (len % sizeof(wire) || n > VMQ_CORE_MAX_FILTERS) {
		NL_SET_ERR_MSG(extack, "list of filters of wrong length");
		return -EINVAL;
	}
	if (!n)
		return 0;
	st->filters = kvcalloc(n, sizeof(*st->filters), GFP_KERNEL_ACCOUNT);
	if (!st->filters)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		struct vmq_core_filter *f = &st->filters[i];

		memcpy(&wire, data + i * sizeof(wire), sizeof(wire));
		ether_addr_copy(f->mac, wire.mac);
		f->vid = le16_to_cpu(wire.vid);
		f->index = le16_to_cpu(wire.index);
		if (wire.reserved || is_zero_ether_addr(f->mac) ||
		    (f->vid >= VLAN_VID_MASK && f->vid != VMQ_CORE_VID_ANY)) {
			NL_SET_ERR_MSG_FMT(extack, "filter %u is not one", i + 1);
			return -EINVAL;
		}
	}
	st->n_filters = n;
	return 0;
}

static int vmq_core_get_mc(struct vmq_core_state *st, const void *data,
			   size_t len, struct netlink_ext_ack *extack)
{
	u32 i, n = len / ETH_ALEN;

	if (len % ETH_ALEN || n > VMQ_CORE_MAX_MC) {
		NL_SET_ERR_MSG(extack, "multicast list of wrong length");
		return -EINVAL;
	}
	if (!n)
		return 0;
	st->mc = kvmalloc_array(n, sizeof(*st->mc), GFP_KERNEL_ACCOUNT);
	if (!st->mc)
		return -ENOMEM;
	memcpy(st->mc, data, len);
	for (i = 0; i < n; i++) {
		/* is_multicast_ether_addr() wants aligned memory */
		if (st->mc[i].addr[0] & 1)
			continue;
		NL_SET_ERR_MSG_FMT(extack, "multicast address %u is not one",
				   i + 1);
		return -EINVAL;
	}
	st->n_mc = n;
	return 0;
}

static int vmq_core_get_policy(struct vmq_policy *p, const void *data,
			       size_t len, struct netlink_ext_ack *extack)
{
	struct vmq_core_range_wire range;
	struct vmq_core_policy_wire wire;
	u16 flags, first, last;
	size_t pos;

	if (len < sizeof(wire) || (len - sizeof(wire)) % sizeof(range)) {
		NL_SET_ERR_MSG(extack, "policy of wrong length");
		return -EINVAL;
	}
	memcpy(&wire, data, sizeof(wire));
	flags = le16_to_cpu(wire.flags);
	p->pvid = le16_to_cpu(wire.pvid);
	p->trunk = flags & VMQ_CORE_TRUNK;
	p->isolate = flags & VMQ_CORE_ISOLATE;
	p->spoofchk = flags & VMQ_CORE_SPOOFCHK;
	if (flags & ~(VMQ_CORE_TRUNK | VMQ_CORE_ISOLATE | VMQ_CORE_SPOOFCHK) ||
	    p->trunk != !!(len - sizeof(wire))) {
		NL_SET_ERR_MSG(extack, "unknown policy");
		return -EINVAL;
	}
	for (pos = sizeof(wire); pos < len; pos += sizeof(range)) {
		memcpy(&range, data + pos, sizeof(range));
		first = le16_to_cpu(range.first);
		last = le16_to_cpu(range.last);
		if (first > last || last >= VLAN_VID_MASK) {
			NL_SET_ERR_MSG(extack, "range of VLAN ids that is none");
			return -EINVAL;
		}
		bitmap_set(p->allowed, first, last - first + 1);
	}
	return vmq_policy_check(p, extack) ? -EINVAL : 0;
}

static int vmq_core_get_counters(struct vmq_core_state *st, const void *data,
				 size_t len, struct netlink_ext_ack *extack)
{
	unsigned int i, n = len / sizeof(__le64);
	__le64 wire;
	u64 count;

	if (len % sizeof(wire) || n > VMQ_CORE_MAX_COUNTERS) {
		NL_SET_ERR_MSG(extack, "counters of wrong length");
		return -EINVAL;
	}
	for (i = 0; i < n; i++) {
		memcpy(&wire, data + i * sizeof(wire), sizeof(wire));
		count = le64_to_cpu(wire);
		/* so large that the port's own would overflow it */
		if (count > S64_MAX) {
			NL_SET_ERR_MSG_FMT(extack, "counter %u is impossible",
					   i + 1);
			return -EINVAL;
		}
		/* those that a newer module appended have no place here */
		if (i < ARRAY_SIZE(vmq_core_counter))
			*vmq_core_counter_at(&st->stats, i) = count;
	}
	return 0;
}

static int vmq_core_get_item(struct vmq_core_state *st,
			     enum vmq_core_item item, const void *data,
			     size_t len, struct netlink_ext_ack *extack)
{
	int err;

	switch (item) {
	case VMQ_CORE_UUID:
		if (len != UUID_SIZE) {
			NL_SET_ERR_MSG(extack, "uuid of wrong length");
			return -EINVAL;
		}
		import_uuid(&st->uuid, data);
		return 0;
	case VMQ_CORE_MAC:
		if (len != ETH_ALEN) {
			NL_SET_ERR_MSG(extack, "MAC address of wrong length");
			return -EINVAL;
		}
		memcpy(st->mac, data, ETH_ALEN);
		if (!is_valid_ether_addr(st->mac)) {
			NL_SET_ERR_MSG(extack, "MAC address is not a unicast address");
			return -EINVAL;
		}
		return 0;
	case VMQ_CORE_MTU:
		err = vmq_core_get_word(data, len, &st->mtu, extack);
		if (!err && (st->mtu < ETH_MIN_MTU || st->mtu > ETH_MAX_MTU)) {
			NL_SET_ERR_MSG_FMT(extack, "MTU %u is impossible",
					   st->mtu);
			err = -EINVAL;
		}
		return err;
	case VMQ_CORE_RX_MODE:
		err = vmq_core_get_word(data, len, &st->rx_mode, extack);
		if (!err && st->rx_mode & ~(VMQ_CORE_PROMISC |
					    VMQ_CORE_ALLMULTI)) {
			NL_SET_ERR_MSG(extack, "unknown receive mode");
			err = -EINVAL;
		}
		return err;
	case VMQ_CORE_QUEUES:
		return vmq_core_get_word(data, len, &st->queues, extack);
	case VMQ_CORE_FILTERS:
		return vmq_core_get_filters(st, data, len, extack);
	case VMQ_CORE_MC:
		return vmq_core_get_mc(st, data, len, extack);
	case VMQ_CORE_QUEUE_NAME:
		if (len >= sizeof(st->queue_name) || memchr(data, 0, len)) {
			NL_SET_ERR_MSG(extack, "queue name of wrong length");
			return -EINVAL;
		}
		memcpy(st->queue_name, data, len);
		return 0;
	case VMQ_CORE_POLICY:
		return vmq_core_get_policy(&st->policy, data, len, extack);
	case VMQ_CORE_COUNTERS:
		return vmq_core_get_counters(st, data, len, extack);
	case VMQ_CORE_RSS:
		return vmq_core_rss_get(&st->rss, data, len, extack);
	case VMQ_CORE_QUEUE_PARAMS:
		return vmq_core_queue_get(&st->params, &st->n_params, data,
					  len, extack);
	default:
		NL_SET_ERR_MSG_FMT(extack, "unknown item %u", item);
		return -EOPNOTSUPP;
	}
}

static int vmq_core_parse_item(struct vmq_core_state *st,
			       const struct vmq_record *rec, size_t *pos,
			       struct netlink_ext_ack *extack)
{
	size_t left = rec->size - *pos, len, room;
	struct vmq_core_tlv tlv;
	const void *data;
	u16 type;

	if (left < sizeof(tlv)) {
		NL_SET_ERR_MSG_FMT(extack, "cut short at byte %zu", *pos);
		return -EINVAL;
	}
	memcpy(&tlv, rec->data + *pos, sizeof(tlv));
	type = le16_to_cpu(tlv.type);
	len = le16_to_cpu(tlv.len);
	room = ALIGN(len, 4);
	data = rec->data + *pos + sizeof(tlv);
	if (left - sizeof(tlv) < room) {
		NL_SET_ERR_MSG_FMT(extack, "item %u is cut short", type);
		return -EINVAL;
	}
	if (memchr_inv(data + len, 0, room - len)) {
		NL_SET_ERR_MSG_FMT(extack, "padding of item %u is not zero",
				   type);
		return -EINVAL;
	}
	*pos += sizeof(tlv) + room;

	if (!type || type >= VMQ_CORE_ITEMS) {
		if (type & VMQ_CORE_SKIPPABLE)
			return 0;
		NL_SET_ERR_MSG_FMT(extack, "unknown item %u", type);
		return -EOPNOTSUPP;
	}
	if (vmq_core_has(st, type)) {
		NL_SET_ERR_MSG_FMT(extack, "item %u comes twice", type);
		return -EINVAL;
	}
	st->present |= BIT(type);
	return vmq_core_get_item(st, type, data, len, extack);
}

/**
 * vmq_core_parse() - reads a core record
 * @rec: the record
 * @extack: says what is wrong with it
 *
 * Context: Process context.
 * Return: what is in it, to be freed with vmq_core_free(), or an error pointer:
 * -EINVAL, -EOPNOTSUPP for an item that only a newer module knows, -ENOMEM.
 */
struct vmq_core_state *vmq_core_parse(const struct vmq_record *rec,
				      struct netlink_ext_ack *extack)
{
	struct vmq_core_state *st;
	size_t pos = 0;
	int err;

	st = kzalloc(sizeof(*st), GFP_KERNEL_ACCOUNT);
	if (!st)
		return ERR_PTR(-ENOMEM);
	while (pos < rec->size) {
		err = vmq_core_parse_item(st, rec, &pos, extack);
		if (err) {
			vmq_core_free(st);
			return ERR_PTR(err);
		}
	}
	return st;
}

/**
 * vmq_core_free() - frees a decoded core record
 * @st: the record, or NULL
 *
 * Context: Process context.
 */
void vmq_core_free(struct vmq_core_state *st)
{
	if (!st)
		return;
	kvfree(st->filters);
	kvfree(st->mc);
	kfree(st->rss);
	kvfree(st->params);
	kfree(st);
}
