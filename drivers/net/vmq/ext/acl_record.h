/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The run-time data of the extension acl in a saved stream: connections.
 *
 * A record is one &struct vmq_acl_rec_hdr followed by hdr.count entries of
 * hdr.entry_size bytes each and nothing else. Everything is little endian and
 * naturally aligned. A port with many connections has several records; if the
 * same connection occurs twice, the later one counts.
 *
 * A later minor revision may append fields to an entry: a reader takes
 * hdr.entry_size as the distance between entries and ignores what it does not
 * know. Anything else is a new data version.
 *
 * For the kernel and for user space: nothing but fixed types in here.
 */
#ifndef _VMQ_ACL_RECORD_H
#define _VMQ_ACL_RECORD_H

#include <linux/types.h>

/* Identity of the extension, ca6f4cdb-9a2e-4bf0-8d1b-52a4e7c1f36e. */
#define VMQ_ACL_UUID_BYTES						\
	{ 0xca, 0x6f, 0x4c, 0xdb, 0x9a, 0x2e, 0x4b, 0xf0,		\
	  0x8d, 0x1b, 0x52, 0xa4, 0xe7, 0xc1, 0xf3, 0x6e }

/* Data version of the records described here. */
#define VMQ_ACL_REC_VERSION	1

/* Largest entry a reader has to take, in bytes. */
#define VMQ_ACL_REC_ENTRY_MAX	1024

/* Largest remaining timeout that an entry may have: one day, in ms. */
#define VMQ_ACL_REC_TIMEOUT_MAX	86400000

/**
 * struct vmq_acl_rec_hdr - start of a record
 * @entry_size: bytes of one entry, a multiple of 8, at least
 *	sizeof(struct vmq_acl_rec_conn), at most %VMQ_ACL_REC_ENTRY_MAX
 * @reserved: 0
 * @count: entries that follow, at least 1
 */
struct vmq_acl_rec_hdr {
	__le16 entry_size;
	__le16 reserved;
	__le32 count;
};

/**
 * enum vmq_acl_rec_family - values of &vmq_acl_rec_conn.family
 * @VMQ_ACL_REC_IPV4: addresses are 4 bytes, 12 zero bytes follow
 * @VMQ_ACL_REC_IPV6: addresses are 16 bytes
 */
enum vmq_acl_rec_family {
	VMQ_ACL_REC_IPV4 = 4,
	VMQ_ACL_REC_IPV6 = 6,
};

/**
 * enum vmq_acl_state - values of &vmq_acl_rec_conn.state
 * @VMQ_ACL_NEW: only the first side was heard: a TCP SYN, a first datagram, an
 *	echo request
 * @VMQ_ACL_REPLIED: UDP and ICMP only, both sides were heard
 * @VMQ_ACL_SYN_ACK: TCP only, the SYN was answered
 * @VMQ_ACL_ESTABLISHED: TCP only
 * @VMQ_ACL_FIN_WAIT: TCP only, one side sent a FIN
 * @VMQ_ACL_CLOSING: TCP only, both sides sent a FIN
 * @VMQ_ACL_CLOSED: TCP only, one side sent a RST
 * @VMQ_ACL_STATES: number of states, 0 being none
 */
enum vmq_acl_state {
	VMQ_ACL_NEW = 1,
	VMQ_ACL_REPLIED,
	VMQ_ACL_SYN_ACK,
	VMQ_ACL_ESTABLISHED,
	VMQ_ACL_FIN_WAIT,
	VMQ_ACL_CLOSING,
	VMQ_ACL_CLOSED,
	VMQ_ACL_STATES,
};

/* Bits of vmq_acl_rec_conn.flags, TCP only; all others are 0. */
#define VMQ_ACL_REC_FIN_IN	0x0001	/* the other end sent a FIN */
#define VMQ_ACL_REC_FIN_OUT	0x0002	/* the guest sent a FIN */
#define VMQ_ACL_REC_FLAGS	(VMQ_ACL_REC_FIN_IN | VMQ_ACL_REC_FIN_OUT)

/**
 * struct vmq_acl_rec_conn - one connection, as the guest sees it
 * @family: of &enum vmq_acl_rec_family
 * @proto: IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP (IPv4 only) or IPPROTO_ICMPV6
 *	(IPv6 only)
 * @state: of &enum vmq_acl_state
 * @direction: of the first frame, 0 towards the guest, 1 from the guest
 * @vlan: VLAN id, 0 where there is none
 * @flags: VMQ_ACL_REC_FIN_IN, VMQ_ACL_REC_FIN_OUT
 * @local_port: port of the guest, or the identifier of an echo
 * @remote_port: port of the other end, or the identifier of an echo again
 * @timeout_ms: time that was left until the connection would be forgotten, 1 to
 *	%VMQ_ACL_REC_TIMEOUT_MAX
 * @local: address of the guest, in network order
 * @remote: address of the other end, in network order
 * @packets_in: frames towards the guest
 * @packets_out: frames from the guest
 */
struct vmq_acl_rec_conn {
	__u8   family;
	__u8   proto;
	__u8   state;
	__u8   direction;
	__le16 vlan;
	__le16 flags;
	__le16 local_port;
	__le16 remote_port;
	__le32 timeout_ms;
	__u8   local[16];
	__u8   remote[16];
	__le64 packets_in;
	__le64 packets_out;
};

/* acl_record.c, which user space may compile, too */
const char *acl_rec_conn_check(const struct vmq_acl_rec_conn *rec);
const char *acl_rec_check(const void *data, __u32 size);
__u32 acl_rec_count(const void *data);
void acl_rec_get(const void *data, __u32 i, struct vmq_acl_rec_conn *entry);

#endif /* _VMQ_ACL_RECORD_H */
