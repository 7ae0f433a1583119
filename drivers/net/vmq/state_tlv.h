/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The core record: what of the port itself moves with it, as items.
 *
 * Plain structures: KUnit and a fuzzer in user space compile the files behind it.
 */
#ifndef _VMQ_STATE_TLV_H
#define _VMQ_STATE_TLV_H

#include <linux/bits.h>
#include <linux/if_ether.h>
#include <linux/netlink.h>
#include <linux/uuid.h>
#include <net/vmq.h>

#include "policy_check.h"
#include "rss_type.h"
#include "stats.h"

/* ---- state_tlv.c ---- */

#define VMQ_CORE_VERSION	1
#define VMQ_CORE_MAX_FILTERS	4096
#define VMQ_CORE_MAX_MC		1024
#define VMQ_CORE_MAX_RSS	1024
#define VMQ_CORE_NAME_MAX	64	/* with a NUL, which does not travel */
#define VMQ_CORE_CPUS_MAX	128	/* the same */
#define VMQ_CORE_MAX_QUEUES	256
#define VMQ_CORE_MAX_PARAMS	6144	/* bytes of their item */

/*
 * Types of items in the core record. A reader skips one that it does not know if
 * the high bit is set and refuses the record otherwise.
 */
enum vmq_core_item {
	VMQ_CORE_UUID = 1,	/* 16 bytes */
	VMQ_CORE_MAC = 2,	/* 6 bytes */
	VMQ_CORE_MTU = 3,	/* le32 */
	VMQ_CORE_FILTERS = 4,	/* of struct vmq_core_filter_wire */
	VMQ_CORE_MC = 5,	/* 6 bytes each */
	VMQ_CORE_RX_MODE = 6,	/* le32 of enum vmq_core_rx_mode */
	VMQ_CORE_QUEUES = 7,	/* le32; for people */
	VMQ_CORE_QUEUE_NAME = 8,	/* text without a NUL; for people */
	VMQ_CORE_COUNTERS = 9,	/* le64 each, in the order of state_tlv.c */
	VMQ_CORE_RSS = 10,	/* of struct vmq_core_rss_wire and a table */
	VMQ_CORE_POLICY = 11,	/* struct vmq_core_policy_wire, and ranges */
	VMQ_CORE_QUEUE_PARAMS = 12, /* of struct vmq_core_queue_wire and texts */
	VMQ_CORE_ITEMS,
	VMQ_CORE_SKIPPABLE = 0x8000,
};

/* Bits of vmq_core_policy_wire.flags. */
enum vmq_core_policy_flags {
	VMQ_CORE_TRUNK = BIT(0),
	VMQ_CORE_ISOLATE = BIT(1),
	VMQ_CORE_SPOOFCHK = BIT(2),
};

enum vmq_core_rx_mode {
	VMQ_CORE_PROMISC = BIT(0),
	VMQ_CORE_ALLMULTI = BIT(1),
};

/* What a filter asks of the VLAN id, if it is not an id. */
#define VMQ_CORE_VID_UNTAGGED	0	/* or id 0 (F-22) */
#define VMQ_CORE_VID_ANY	0xffff

/**
 * struct vmq_core_filter - a VMQ filter that moves with the port (F-17)
 * @mac: destination MAC address
 * @vid: VLAN id, %VMQ_CORE_VID_UNTAGGED or %VMQ_CORE_VID_ANY
 * @index: its queue, counted among the port's
 */
struct vmq_core_filter {
	u8 mac[ETH_ALEN];
	u16 vid;
	u16 index;
};

struct vmq_core_mac {
	u8 addr[ETH_ALEN];
};

/**
 * struct vmq_core_rss - how a port with several queues spreads its flows
 * @key: key of the hash
 * @fields: hashed fields, by &enum vmq_rss_type
 * @queues: queues of the port
 * @size: entries of the table, a power of two
 * @table: the table, queues counted among the port's
 */
struct vmq_core_rss {
	u8 key[VMQ_RSS_KEY_LEN];
	u8 fields[VMQ_RSS_TYPES];
	u32 queues;
	u32 size;
	u32 table[] __counted_by(size);
};

/* What was set of a queue. */
enum vmq_core_queue_set {
	VMQ_CORE_Q_NAME = BIT(0),
	VMQ_CORE_Q_VM = BIT(1),
	VMQ_CORE_Q_QUEUED = BIT(2),	/* it has CPUs of its own */
	VMQ_CORE_Q_BUFFERS = BIT(3),
	VMQ_CORE_Q_SINGLE = BIT(4),	/* per-queue delivery, on */
	VMQ_CORE_Q_LOOKAHEAD = BIT(5),
	VMQ_CORE_Q_MODER = BIT(6),	/* only with its own CPUs */
	VMQ_CORE_Q_ADAPTIVE = BIT(7),	/* the same, and instead of that */
	VMQ_CORE_Q_ALL = BIT(8) - 1,
};

/**
 * struct vmq_core_queue - what a user set of a queue of the port
 * @index: the queue, counted among the port's
 * @set: of &enum vmq_core_queue_set; the members of the others are 0
 * @buffers: frames
 * @lookahead: bytes
 * @usecs: moderation, time
 * @frames: moderation, frames
 * @name: of the queue
 * @vm: name of the VM
 * @cpus: list of CPUs of the host that saved it, a hint; may be empty
 */
struct vmq_core_queue {
	u16 index;
	u16 set;
	u32 buffers;
	u32 lookahead;
	u32 usecs;
	u32 frames;
	char name[VMQ_CORE_NAME_MAX];
	char vm[VMQ_CORE_NAME_MAX];
	char cpus[VMQ_CORE_CPUS_MAX];
};

/**
 * struct vmq_core_state - the core record, decoded
 * @present: bit per &enum vmq_core_item that is in it
 * @uuid: identity of the VM NIC
 * @mac: MAC address
 * @mtu: MTU
 * @rx_mode: of &enum vmq_core_rx_mode
 * @queues: VM queues the port had
 * @queue_name: of the first
 * @policy: VLANs, isolation, check of source addresses
 * @stats: counters
 * @n_filters: filters
 * @n_mc: multicast addresses
 * @filters: the filters, without the port's own for @mac
 * @mc: the multicast addresses
 * @rss: how flows are spread
 * @n_params: queues of which something was set
 * @params: what, in the order of their indices
 */
struct vmq_core_state {
	u32 present;
	uuid_t uuid;
	u8 mac[ETH_ALEN];
	u32 mtu;
	u32 rx_mode;
	u32 queues;
	char queue_name[VMQ_CORE_NAME_MAX];
	struct vmq_policy policy;
	struct vmq_stats stats;
	u32 n_filters;
	u32 n_mc;
	struct vmq_core_filter *filters;
	struct vmq_core_mac *mc;
	struct vmq_core_rss *rss;
	u32 n_params;
	struct vmq_core_queue *params;
};

size_t vmq_core_size(const struct vmq_core_state *st);
int vmq_core_encode(const struct vmq_core_state *st, struct vmq_record *rec);
struct vmq_core_state *vmq_core_parse(const struct vmq_record *rec,
				      struct netlink_ext_ack *extack);
void vmq_core_free(struct vmq_core_state *st);

/* ---- state_tlv_rss.c: the item about RSS ---- */

size_t vmq_core_rss_len(const struct vmq_core_rss *rss);
void vmq_core_rss_put(const struct vmq_core_rss *rss, void *data);
int vmq_core_rss_get(struct vmq_core_rss **out, const void *data, size_t len,
		     struct netlink_ext_ack *extack);

/* ---- state_tlv_queue.c: the item about queues ---- */

size_t vmq_core_queue_len(const struct vmq_core_queue *q, u32 n);
void vmq_core_queue_put(const struct vmq_core_queue *q, u32 n, void *data);
int vmq_core_queue_get(struct vmq_core_queue **out, u32 *n, const void *data,
		       size_t len, struct netlink_ext_ack *extack);

#endif /* _VMQ_STATE_TLV_H */
