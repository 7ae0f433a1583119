/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The run-time data of the extension guard in a saved stream: what it learned.
 *
 * A record is one &struct vmq_guard_rec_hdr followed by hdr.count entries of
 * hdr.entry_size bytes each and nothing else. Everything is little endian and
 * naturally aligned, addresses are in network order. hdr.kind says what the
 * entries are:
 *
 * - bindings: data version 1. Not optional, as without them the guest could not
 *   send. If the same address and VLAN id occur twice, the later one counts.
 * - transactions, the questions to DHCP servers that wait for an answer: data
 *   version 2. Optional: a reader that knows version 1 alone skips them, and a
 *   guest that was moved in the middle of a DHCP exchange has to ask again.
 *
 * A later minor revision may append fields to an entry: a reader takes
 * hdr.entry_size as the distance between entries and ignores what it does not
 * know. Anything else is a new data version.
 *
 * For the kernel and for user space: nothing but fixed types in here.
 */
#ifndef _VMQ_GUARD_RECORD_H
#define _VMQ_GUARD_RECORD_H

#include <linux/types.h>

/* Identity of the extension, 5d0b6f0a-3a57-4f0e-9c0f-8e1d7a2b64c3. */
#define VMQ_GUARD_UUID_BYTES						\
	{ 0x5d, 0x0b, 0x6f, 0x0a, 0x3a, 0x57, 0x4f, 0x0e,		\
	  0x9c, 0x0f, 0x8e, 0x1d, 0x7a, 0x2b, 0x64, 0xc3 }

/* Data versions of the records described here. */
#define VMQ_GUARD_REC_VERSION_BINDINGS		1
#define VMQ_GUARD_REC_VERSION_TRANSACTIONS	2

/* Newest of them. */
#define VMQ_GUARD_REC_VERSION	VMQ_GUARD_REC_VERSION_TRANSACTIONS

/* Largest entry a reader has to take, in bytes. */
#define VMQ_GUARD_REC_ENTRY_MAX	1024

/* Largest remaining time of a transaction, in ms. */
#define VMQ_GUARD_REC_WAIT_MAX	120000

/* Largest remaining time of a lease, in ms, and that of one without an end. */
#define VMQ_GUARD_REC_LEASE_MAX	4294967294000ULL
#define VMQ_GUARD_REC_FOREVER	0xffffffffffffffffULL

/**
 * enum vmq_guard_rec_kind - values of &vmq_guard_rec_hdr.kind
 * @VMQ_GUARD_REC_BINDINGS: entries are &struct vmq_guard_rec_binding
 * @VMQ_GUARD_REC_TRANSACTIONS: entries are &struct vmq_guard_rec_transaction
 */
enum vmq_guard_rec_kind {
	VMQ_GUARD_REC_BINDINGS = 1,
	VMQ_GUARD_REC_TRANSACTIONS = 2,
};

/**
 * struct vmq_guard_rec_hdr - start of a record
 * @entry_size: bytes of one entry, a multiple of 8, at least the size of the
 *	kind's structure, at most %VMQ_GUARD_REC_ENTRY_MAX
 * @kind: of &enum vmq_guard_rec_kind
 * @count: entries that follow, at least 1
 */
struct vmq_guard_rec_hdr {
	__le16 entry_size;
	__le16 kind;
	__le32 count;
};

/**
 * enum vmq_guard_rec_family - values of family
 * @VMQ_GUARD_REC_IPV4: addresses are 4 bytes, 12 zero bytes follow
 * @VMQ_GUARD_REC_IPV6: addresses are 16 bytes
 */
enum vmq_guard_rec_family {
	VMQ_GUARD_REC_IPV4 = 4,
	VMQ_GUARD_REC_IPV6 = 6,
};

/**
 * enum vmq_guard_rec_origin - values of &vmq_guard_rec_binding.origin
 * @VMQ_GUARD_REC_DHCP4: a lease of DHCP, IPv4 only
 * @VMQ_GUARD_REC_DHCP6: a lease of DHCPv6, IPv6 only
 * @VMQ_GUARD_REC_DAD: a link-local address after duplicate address detection,
 *	IPv6 only
 */
enum vmq_guard_rec_origin {
	VMQ_GUARD_REC_DHCP4 = 1,
	VMQ_GUARD_REC_DHCP6 = 2,
	VMQ_GUARD_REC_DAD = 3,
};

/**
 * struct vmq_guard_rec_binding - one binding
 * @family: of &enum vmq_guard_rec_family
 * @prefix_len: length of the prefix, 1 to 32 or 128; less than that in IPv6 for
 *	a delegated prefix only
 * @origin: of &enum vmq_guard_rec_origin
 * @reserved: 0
 * @vlan: VLAN id, 0 for untagged frames
 * @mac: MAC address that the address belongs to
 * @reserved2: 0
 * @lease_ms: time that was left of the lease, 1 to %VMQ_GUARD_REC_LEASE_MAX, or
 *	%VMQ_GUARD_REC_FOREVER
 * @addr: address, or prefix with zero bits behind it
 */
struct vmq_guard_rec_binding {
	__u8   family;
	__u8   prefix_len;
	__u8   origin;
	__u8   reserved;
	__le16 vlan;
	__u8   mac[6];
	__u8   reserved2[4];
	__le64 lease_ms;
	__u8   addr[16];
};

/**
 * struct vmq_guard_rec_transaction - one question to DHCP servers
 * @family: of &enum vmq_guard_rec_family
 * @reserved: 0
 * @vlan: VLAN id, 0 for untagged frames
 * @xid: its number, 24 bits for IPv6
 * @wait_ms: time that was left for the answer, 1 to %VMQ_GUARD_REC_WAIT_MAX
 * @mac: MAC address of the guest that asked
 * @reserved2: 0
 * @requested: IPv4 address that was asked for, in the first 4 bytes, or 0
 */
struct vmq_guard_rec_transaction {
	__u8   family;
	__u8   reserved;
	__le16 vlan;
	__le32 xid;
	__le32 wait_ms;
	__u8   mac[6];
	__u8   reserved2[2];
	__u8   requested[4];
};

/* guard_record.c, which user space may compile, too */
const char *guard_rec_binding_check(const struct vmq_guard_rec_binding *b);
const char *guard_rec_check(const void *data, __u32 size, __u16 version);
__u32 guard_rec_count(const void *data);
void guard_rec_get_binding(const void *data, __u32 i,
			   struct vmq_guard_rec_binding *entry);
void guard_rec_get_transaction(const void *data, __u32 i,
			       struct vmq_guard_rec_transaction *entry);

#endif /* _VMQ_GUARD_RECORD_H */
