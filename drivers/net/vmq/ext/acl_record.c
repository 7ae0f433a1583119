// SPDX-License-Identifier: GPL-2.0
/*
 * The extension acl: what may be in a record, see acl_record.h.
 *
 * A record may have been written by anybody. This file knows nothing of the
 * kernel but its types, so that tools/fuzz can try it in user space.
 */
#include <asm/byteorder.h>
#include <linux/build_bug.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/string.h>
#include <linux/types.h>

#include "acl_record.h"

#define ACL_REC_VLAN_MAX	4095

static_assert(sizeof(struct vmq_acl_rec_hdr) == 8);
static_assert(sizeof(struct vmq_acl_rec_conn) == 64);

static bool acl_rec_addr_ok(const u8 *addr, u8 family)
{
	unsigned int i;

	if (family == VMQ_ACL_REC_IPV6)
		return true;
	for (i = 4; i < 16; i++)
		if (addr[i])
			return false;
	return true;
}

static const char *acl_rec_proto_check(const struct vmq_acl_rec_conn *rec)
{
	switch (rec->proto) {
	case IPPROTO_TCP:
		if (rec->state < VMQ_ACL_NEW || rec->state >= VMQ_ACL_STATES ||
		    rec->state == VMQ_ACL_REPLIED)
			return "acl: a connection has an unknown state";
		return NULL;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		if (rec->family != (rec->proto == IPPROTO_ICMP ?
				    VMQ_ACL_REC_IPV4 : VMQ_ACL_REC_IPV6))
			return "acl: a connection has a protocol of another family";
		if (rec->local_port != rec->remote_port)
			return "acl: an echo has two identifiers";
		break;
	case IPPROTO_UDP:
		break;
	default:
		return "acl: a connection has an unknown protocol";
	}

	if (rec->state != VMQ_ACL_NEW && rec->state != VMQ_ACL_REPLIED)
		return "acl: a connection has an unknown state";

	return NULL;
}

/**
 * acl_rec_conn_check - Look for what is wrong with one connection.
 * @rec: the connection
 *
 * Return: a text for people, or NULL if it is in order.
 */
const char *acl_rec_conn_check(const struct vmq_acl_rec_conn *rec)
{
	u16 flags = le16_to_cpu(rec->flags);
	u32 timeout = le32_to_cpu(rec->timeout_ms);
	const char *wrong;

	if (rec->family != VMQ_ACL_REC_IPV4 && rec->family != VMQ_ACL_REC_IPV6)
		return "acl: a connection has an unknown family";
	wrong = acl_rec_proto_check(rec);
	if (wrong)
		return wrong;
	/* 0 towards the guest, 1 from the guest */
	if (rec->direction > 1)
		return "acl: a connection has an unknown direction";
	if (le16_to_cpu(rec->vlan) > ACL_REC_VLAN_MAX)
		return "acl: a connection has a VLAN id out of range";
	if (flags & ~VMQ_ACL_REC_FLAGS || (flags && rec->proto != IPPROTO_TCP))
		return "acl: a connection has unknown flags";
	if (!timeout || timeout > VMQ_ACL_REC_TIMEOUT_MAX)
		return "acl: a connection has a timeout out of range";
	if (!acl_rec_addr_ok(rec->local, rec->family) ||
	    !acl_rec_addr_ok(rec->remote, rec->family))
		return "acl: an address is longer than its family";

	return NULL;
}

/**
 * acl_rec_check - Look for what is wrong with the frame of a record.
 * @data: the record, at any address
 * @size: its bytes
 *
 * Return: a text for people, or NULL if it holds acl_rec_count() entries, each of
 * which acl_rec_conn_check() has to look at.
 */
const char *acl_rec_check(const void *data, u32 size)
{
	struct vmq_acl_rec_hdr hdr;
	u32 entry;

	if (size < sizeof(hdr))
		return "acl: a record is shorter than its header";

	memcpy(&hdr, data, sizeof(hdr));
	entry = le16_to_cpu(hdr.entry_size);

	if (entry < sizeof(struct vmq_acl_rec_conn) ||
	    entry > VMQ_ACL_REC_ENTRY_MAX || entry % 8)
		return "acl: a record has an entry size out of range";
	if (hdr.reserved)
		return "acl: a reserved field of a record is not 0";
	if (!hdr.count ||
	    (u64)le32_to_cpu(hdr.count) * entry != size - sizeof(hdr))
		return "acl: a record's count does not fit its length";

	return NULL;
}

/**
 * acl_rec_count - Tell how many connections a record holds.
 * @data: a record that acl_rec_check() found in order
 *
 * Return: their number, at least 1.
 */
u32 acl_rec_count(const void *data)
{
	struct vmq_acl_rec_hdr hdr;

	memcpy(&hdr, data, sizeof(hdr));
	return le32_to_cpu(hdr.count);
}

/**
 * acl_rec_get - Copy a connection out of a record.
 * @data: a record that acl_rec_check() found in order
 * @i: which one, below acl_rec_count()
 * @entry: set to it
 */
void acl_rec_get(const void *data, u32 i, struct vmq_acl_rec_conn *entry)
{
	struct vmq_acl_rec_hdr hdr;

	memcpy(&hdr, data, sizeof(hdr));
	memcpy(entry, data + sizeof(hdr) +
		      (size_t)i * le16_to_cpu(hdr.entry_size), sizeof(*entry));
}
