// SPDX-License-Identifier: GPL-2.0
/*
 * The extension guard: what may be in a record, see guard_record.h.
 *
 * A record may have been written by anybody. This file knows nothing of the
 * kernel but its types, so that tools/fuzz can try it in user space.
 */
#include <asm/byteorder.h>
#include <linux/build_bug.h>
#include <linux/string.h>
#include <linux/types.h>

#include "guard_record.h"

#define GUARD_REC_VLAN_MAX	4095
#define GUARD_REC_XID6_MAX	0xffffff

static_assert(sizeof(struct vmq_guard_rec_hdr) == 8);
static_assert(sizeof(struct vmq_guard_rec_binding) == 40);
static_assert(sizeof(struct vmq_guard_rec_transaction) == 24);

static bool guard_rec_zero(const u8 *p, unsigned int n)
{
	while (n--)
		if (*p++)
			return false;
	return true;
}

static bool guard_rec_mac_ok(const u8 *mac)
{
	return !(mac[0] & 1) && !guard_rec_zero(mac, 6);
}

static bool guard_rec_addr4_ok(const u8 *addr)
{
	return addr[0] && addr[0] != 127 && addr[0] < 224;
}

static bool guard_rec_addr6_ok(const u8 *addr)
{
	/* multicast, and all of ::/64: unspecified, loopback, embedded IPv4 */
	return addr[0] != 0xff && !guard_rec_zero(addr, 8);
}

static bool guard_rec_is_link_local(const u8 *addr)
{
	return addr[0] == 0xfe && (addr[1] & 0xc0) == 0x80;
}

static const char *guard_rec_addr_check(const struct vmq_guard_rec_binding *b)
{
	unsigned int i, max = b->family == VMQ_GUARD_REC_IPV4 ? 32 : 128;
	bool dad = b->origin == VMQ_GUARD_REC_DAD;

	if (!b->prefix_len || b->prefix_len > max)
		return "guard: a binding has a prefix length out of range";
	if (b->prefix_len < max && b->origin != VMQ_GUARD_REC_DHCP6)
		return "guard: a binding that is no delegation has a prefix";
	/* nothing behind the prefix, nor behind an IPv4 address */
	for (i = b->prefix_len; i < 128; i++)
		if (b->addr[i / 8] & 0x80 >> i % 8)
			return "guard: a binding's address is longer than its prefix";
	if (max == 32 ? !guard_rec_addr4_ok(b->addr) :
			!guard_rec_addr6_ok(b->addr))
		return "guard: a binding has an address that nobody can have";
	if (guard_rec_is_link_local(b->addr) != dad)
		return "guard: a binding's address does not fit its origin";
	return NULL;
}

/**
 * guard_rec_binding_check() - Is it a binding that a record may have?
 * @b: the binding
 *
 * Return: what is wrong with it, or NULL
 */
const char *guard_rec_binding_check(const struct vmq_guard_rec_binding *b)
{
	u64 lease = le64_to_cpu(b->lease_ms);

	switch (b->origin) {
	case VMQ_GUARD_REC_DHCP4:
		if (b->family != VMQ_GUARD_REC_IPV4)
			return "guard: a binding has an unknown family";
		break;
	case VMQ_GUARD_REC_DHCP6:
	case VMQ_GUARD_REC_DAD:
		if (b->family != VMQ_GUARD_REC_IPV6)
			return "guard: a binding has an unknown family";
		break;
	default:
		return "guard: a binding has an unknown origin";
	}
	if (b->reserved || !guard_rec_zero(b->reserved2, sizeof(b->reserved2)))
		return "guard: a reserved field of a binding is not 0";
	if (le16_to_cpu(b->vlan) > GUARD_REC_VLAN_MAX)
		return "guard: a binding has a VLAN id out of range";
	if (!guard_rec_mac_ok(b->mac))
		return "guard: a binding has a MAC address that nobody can have";
	if (!lease || (lease > VMQ_GUARD_REC_LEASE_MAX &&
		       lease != VMQ_GUARD_REC_FOREVER))
		return "guard: a binding has a lease out of range";
	return guard_rec_addr_check(b);
}

static const char *
guard_rec_transaction_check(const struct vmq_guard_rec_transaction *t)
{
	u32 wait = le32_to_cpu(t->wait_ms);

	if (t->family != VMQ_GUARD_REC_IPV4 && t->family != VMQ_GUARD_REC_IPV6)
		return "guard: a transaction has an unknown family";
	if (t->reserved || !guard_rec_zero(t->reserved2, sizeof(t->reserved2)))
		return "guard: a reserved field of a transaction is not 0";
	if (le16_to_cpu(t->vlan) > GUARD_REC_VLAN_MAX)
		return "guard: a transaction has a VLAN id out of range";
	if (!wait || wait > VMQ_GUARD_REC_WAIT_MAX)
		return "guard: a transaction has a time out of range";
	if (!guard_rec_mac_ok(t->mac))
		return "guard: a transaction has a MAC address that nobody can have";
	if (t->family == VMQ_GUARD_REC_IPV6 &&
	    (le32_to_cpu(t->xid) > GUARD_REC_XID6_MAX ||
	     !guard_rec_zero(t->requested, sizeof(t->requested))))
		return "guard: a transaction of DHCPv6 has fields of DHCP";
	return NULL;
}

static const char *guard_rec_hdr_check(const void *data, u32 size, u16 version)
{
	struct vmq_guard_rec_hdr hdr;
	u32 entry, least;

	if (size < sizeof(hdr))
		return "guard: a record is shorter than its header";
	memcpy(&hdr, data, sizeof(hdr));
	switch (le16_to_cpu(hdr.kind)) {
	case VMQ_GUARD_REC_BINDINGS:
		least = sizeof(struct vmq_guard_rec_binding);
		if (version != VMQ_GUARD_REC_VERSION_BINDINGS)
			return "guard: bindings have another data version";
		break;
	case VMQ_GUARD_REC_TRANSACTIONS:
		least = sizeof(struct vmq_guard_rec_transaction);
		if (version != VMQ_GUARD_REC_VERSION_TRANSACTIONS)
			return "guard: transactions have another data version";
		break;
	default:
		return "guard: a record is of an unknown kind";
	}
	entry = le16_to_cpu(hdr.entry_size);
	if (entry < least || entry > VMQ_GUARD_REC_ENTRY_MAX || entry % 8)
		return "guard: a record has an entry size out of range";
	if (!hdr.count ||
	    (u64)le32_to_cpu(hdr.count) * entry != size - sizeof(hdr))
		return "guard: a record's count does not fit its length";
	return NULL;
}

static const void *guard_rec_entry(const void *data, u32 i)
{
	struct vmq_guard_rec_hdr hdr;

	memcpy(&hdr, data, sizeof(hdr));
	return (const u8 *)data + sizeof(hdr) + i * le16_to_cpu(hdr.entry_size);
}

/**
 * guard_rec_count() - Number of entries in a record.
 * @data: the record, checked
 *
 * Return: the number
 */
u32 guard_rec_count(const void *data)
{
	struct vmq_guard_rec_hdr hdr;

	memcpy(&hdr, data, sizeof(hdr));
	return le32_to_cpu(hdr.count);
}

/**
 * guard_rec_get_binding() - Copies a binding out of a record, at any address.
 * @data: the record, checked
 * @i: which, below guard_rec_count()
 * @entry: the copy
 */
void guard_rec_get_binding(const void *data, u32 i,
			   struct vmq_guard_rec_binding *entry)
{
	memcpy(entry, guard_rec_entry(data, i), sizeof(*entry));
}

/**
 * guard_rec_get_transaction() - Copies a transaction out of a record.
 * @data: the record, checked
 * @i: which, below guard_rec_count()
 * @entry: the copy
 */
void guard_rec_get_transaction(const void *data, u32 i,
			       struct vmq_guard_rec_transaction *entry)
{
	memcpy(entry, guard_rec_entry(data, i), sizeof(*entry));
}

/**
 * guard_rec_check() - Is it a record of the extension, all of it?
 * @data: the record, not aligned
 * @size: its length in bytes
 * @version: its data version
 *
 * Return: what is wrong with it, or NULL
 */
const char *guard_rec_check(const void *data, u32 size, u16 version)
{
	struct vmq_guard_rec_transaction transaction;
	struct vmq_guard_rec_binding binding;
	const char *wrong;
	u32 i;

	wrong = guard_rec_hdr_check(data, size, version);
	if (wrong)
		return wrong;
	for (i = 0; !wrong && i < guard_rec_count(data); i++) {
		if (version == VMQ_GUARD_REC_VERSION_BINDINGS) {
			guard_rec_get_binding(data, i, &binding);
			wrong = guard_rec_binding_check(&binding);
		} else {
			guard_rec_get_transaction(data, i, &transaction);
			wrong = guard_rec_transaction_check(&transaction);
		}
	}
	return wrong;
}
