// SPDX-License-Identifier: GPL-2.0
/*
 * The item of the core record that says how a port spreads its flows: key, hashed
 * fields and table (V-37). Pure functions.
 */
#include <linux/log2.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include "state_tlv.h"

/* In front of the table, whose entries are le16 each. */
struct vmq_core_rss_wire {
	u8 key[VMQ_RSS_KEY_LEN];
	u8 fields[VMQ_RSS_TYPES];
	__le16 queues;
	__le16 size;
};

/**
 * vmq_core_rss_len() - bytes of the item
 * @rss: what is to be in it, or NULL
 *
 * Context: Any.
 * Return: the bytes, without padding.
 */
size_t vmq_core_rss_len(const struct vmq_core_rss *rss)
{
	return sizeof(struct vmq_core_rss_wire) +
	       (rss ? rss->size : 0) * sizeof(__le16);
}

/**
 * vmq_core_rss_put() - writes the item
 * @rss: what is to be in it
 * @data: room for vmq_core_rss_len() bytes
 *
 * Context: Any.
 */
void vmq_core_rss_put(const struct vmq_core_rss *rss, void *data)
{
	struct vmq_core_rss_wire wire = {
		.queues = cpu_to_le16(rss->queues),
		.size = cpu_to_le16(rss->size),
	};
	u32 i;

	memcpy(wire.key, rss->key, sizeof(wire.key));
	memcpy(wire.fields, rss->fields, sizeof(wire.fields));
	memcpy(data, &wire, sizeof(wire));
	data += sizeof(wire);
	for (i = 0; i < rss->size; i++)
		put_unaligned_le16(rss->table[i], data + i * sizeof(__le16));
}

static bool vmq_core_rss_fields_ok(const u8 *fields)
{
	unsigned int i;

	for (i = 0; i < VMQ_RSS_TYPES; i++) {
		if (fields[i] & ~(VMQ_RSS_ADDRS | VMQ_RSS_PORTS))
			return false;
		if ((i == VMQ_RSS_IP4 || i == VMQ_RSS_IP6) &&
		    fields[i] & VMQ_RSS_PORTS)
			return false;
	}
	return true;
}

/**
 * vmq_core_rss_get() - reads the item
 * @out: set to what is in it, to be freed with kfree()
 * @data: the item
 * @len: its bytes
 * @extack: says what is wrong with it
 *
 * Context: Process context.
 * Return: 0, -EINVAL or -ENOMEM.
 */
int vmq_core_rss_get(struct vmq_core_rss **out, const void *data, size_t len,
		     struct netlink_ext_ack *extack)
{
	struct vmq_core_rss_wire wire;
	struct vmq_core_rss *rss;
	u32 queues, size, i;

	if (len < sizeof(wire)) {
		NL_SET_ERR_MSG(extack, "RSS table of wrong length");
		return -EINVAL;
	}
	memcpy(&wire, data, sizeof(wire));
	data += sizeof(wire);
	queues = le16_to_cpu(wire.queues);
	size = le16_to_cpu(wire.size);
	if (size > VMQ_CORE_MAX_RSS || !is_power_of_2(size) ||
	    len != sizeof(wire) + size * sizeof(__le16)) {
		NL_SET_ERR_MSG(extack, "RSS table of wrong length");
		return -EINVAL;
	}
	if (!vmq_core_rss_fields_ok(wire.fields)) {
		NL_SET_ERR_MSG(extack, "RSS fields that do not exist");
		return -EINVAL;
	}
	rss = kzalloc(struct_size(rss, table, size), GFP_KERNEL_ACCOUNT);
	if (!rss)
		return -ENOMEM;
	rss->size = size;
	rss->queues = queues;
	memcpy(rss->key, wire.key, sizeof(rss->key));
	memcpy(rss->fields, wire.fields, sizeof(rss->fields));
	for (i = 0; i < size; i++) {
		rss->table[i] = get_unaligned_le16(data + i * sizeof(__le16));
		if (rss->table[i] < queues)
			continue;
		NL_SET_ERR_MSG_FMT(extack, "RSS table names queue %u of %u",
				   rss->table[i], queues);
		kfree(rss);
		return -EINVAL;
	}
	*out = rss;
	return 0;
}
