/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The extension guard: a guest sends from its own addresses alone.
 *
 * guard.c        module, life of a port, the way of a frame
 * guard_ip4.c    IPv4 and ARP of the guest
 * guard_ip6.c    IPv6 and neighbour discovery of the guest
 * guard_snoop.c  what is learned from DHCP and duplicate address detection
 * guard_dhcp4.c, guard_dhcp6.c  reading DHCP messages, see guard_dhcp.h
 * guard_table.c  the bindings of a port
 * guard_config.c, guard_dump.c  configuration over netlink, and its dump
 * guard_state.c  bindings to and from a saved stream
 * guard_record.c what may be in a record, see guard_record.h
 *
 * Locks: rtnl serialises configuration, restore and detach. guard_port.lock
 * (BH) covers every change of bindings and transactions. Frames look bindings
 * up under RCU and take no lock, but for DHCP, duplicate address detection and
 * what has a rate limit.
 */
#ifndef _VMQ_GUARD_H
#define _VMQ_GUARD_H

#include <linux/etherdevice.h>
#include <linux/in6.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/u64_stats_sync.h>
#include <linux/workqueue.h>
#include <net/vmq.h>

#include "guard_dhcp.h"
#include "guard_record.h"

#define GUARD_CHECKS_ALL						\
	(VMQ_GUARD_CHECK_MAC | VMQ_GUARD_CHECK_IPV4 |			\
	 VMQ_GUARD_CHECK_IPV6 | VMQ_GUARD_CHECK_ARP |			\
	 VMQ_GUARD_CHECK_ND | VMQ_GUARD_CHECK_RA |			\
	 VMQ_GUARD_CHECK_DHCP_SERVER)

/*
 * Checked on a port that was not configured: what needs no bindings, so that
 * no guest is cut off when the extension is enabled.
 */
#define GUARD_CHECKS_DEFAULT						\
	(VMQ_GUARD_CHECK_RA | VMQ_GUARD_CHECK_DHCP_SERVER)

/* Those that look behind the Ethernet header. */
#define GUARD_CHECKS_DEEP	(GUARD_CHECKS_ALL & ~VMQ_GUARD_CHECK_MAC)

#define GUARD_BINDINGS_DEFAULT	64
#define GUARD_BINDINGS_MAX	4096
#define GUARD_RATE_MAX		1000000

/* Buckets of a port's tables */
#define GUARD_HASH_BITS		8
#define GUARD_MAC_BITS		4

/* DHCP exchanges of a guest at a time, and seconds until one is forgotten. */
#define GUARD_TRANSACTIONS	16
#define GUARD_WAIT		(VMQ_GUARD_REC_WAIT_MAX / 1000)

/*
 * Link-local addresses that duplicate address detection gives a port; another
 * one takes the place of the oldest.
 */
#define GUARD_DAD_MAX		8

/* How long an answer to duplicate address detection is waited for: RFC 6620. */
#define GUARD_DAD_WAIT		msecs_to_jiffies(500)

/* Longest DHCP message that is read; a longer one is taken as malformed. */
#define GUARD_DHCP_MAX		9216

/**
 * struct guard_key - names a binding
 * @addr: prefix; IPv4 has it in the first word, a MAC address in 6 bytes
 * @vlan: VLAN id, 0 for untagged frames
 * @family: AF_INET, AF_INET6, or AF_UNSPEC for a MAC address alone
 * @len: length of the prefix
 *
 * Hashed and compared as words, so all of it is set.
 */
struct guard_key {
	struct in6_addr addr;
	u16 vlan;
	u8 family;
	u8 len;
};

static_assert(sizeof(struct guard_key) % sizeof(u32) == 0);

/**
 * struct guard_binding - an address that the guest may send from
 * @node: in &guard_port.hash
 * @key: the address
 * @mac: MAC address that it belongs to; all zero for that of the port
 * @origin: of &enum vmq_guard_origin
 * @restored: it came with a stream
 * @dead: it is in no table any more; under &guard_port.lock
 * @going: a request removes it; set before it matters, under &guard_port.lock
 * @expires: jiffies64 when it ends, 0 for never
 * @starts: jiffies64 from which on it counts, 0 for always
 * @mac_node: in &guard_port.macs, if it is static and has a MAC address
 * @list: in &guard_port.bindings
 * @id: its place there; counts up
 * @refs: one for the tables, one for a restore that may be undone
 * @rcu: frees it
 */
struct guard_binding {
	struct hlist_node node;
	struct guard_key key;
	u8 mac[ETH_ALEN] __aligned(2);
	u8 origin;
	bool restored;
	bool dead;
	bool going;
	u64 expires;
	u64 starts;

	struct hlist_node mac_node;
	struct list_head list;
	unsigned long id;
	refcount_t refs;
	struct rcu_head rcu;
};

/**
 * struct guard_transaction - a question to DHCP servers that waits for its answer
 * @expires: jiffies64 until when; 0 for a free slot
 * @xid: its number
 * @requested: IPv4 address that was asked for, or 0
 * @vlan: VLAN id
 * @family: AF_INET or AF_INET6
 * @mac: MAC address of the client
 */
struct guard_transaction {
	u64 expires;
	u32 xid;
	__be32 requested;
	u16 vlan;
	u8 family;
	u8 mac[ETH_ALEN];
};

/**
 * struct guard_bucket - a rate limit
 * @lock: for @tokens and @stamp
 * @rate: frames in a second, and at once; 0 for no limit
 * @tokens: what is left, in frames times HZ
 * @stamp: jiffies of the last frame
 */
struct guard_bucket {
	spinlock_t lock;	/* for tokens and stamp */
	u32 rate;
	u64 tokens;
	unsigned long stamp;
};

enum guard_rate {
	GUARD_RATE_DHCP,
	GUARD_RATE_ARP,
	GUARD_RATE_ND,
	GUARD_RATES,
};

/* What frames are counted as; as the summary of a dump has it. */
enum guard_count {
	GUARD_PASSED,
	GUARD_DROP_MAC,
	GUARD_DROP_IPV4,
	GUARD_DROP_IPV6,
	GUARD_DROP_ARP,
	GUARD_DROP_ND,
	GUARD_DROP_RA,
	GUARD_DROP_DHCP_SERVER,
	GUARD_DROP_MALFORMED,
	GUARD_DROP_RATE,
	GUARD_LEARNED,
	GUARD_NOT_LEARNED,
	GUARD_COUNTS,
};

/**
 * struct guard_stats - counters of a port, on one CPU
 * @n: by &enum guard_count
 * @syncp: for 32-bit hosts
 */
struct guard_stats {
	u64_stats_t n[GUARD_COUNTS];
	struct u64_stats_sync syncp;
};

/**
 * struct guard_port - the extension on one port
 * @dev: netdev of the port
 * @stats: counters
 * @checks: bits of &enum vmq_guard_check
 * @link_local: of &enum vmq_guard_link_local
 * @snoop: bindings are learned
 * @hash: bindings by key
 * @macs: static bindings by their MAC address
 * @lens4: lengths of IPv4 prefixes that bindings have, without 32
 * @lens6: lengths of IPv6 prefixes that bindings have, without 128
 * @bucket: rate limits
 * @lock: for every change of what follows and of the tables
 * @bindings: all of them, by their ids
 * @next_id: id of the next binding
 * @n: bindings but for those of duplicate address detection
 * @n_dad: bindings of duplicate address detection
 * @max: most bindings, for @n
 * @n_lens4: bindings by length of their prefix
 * @n_lens6: bindings by length of their prefix
 * @transactions: questions to DHCP servers
 * @due: jiffies64 when @work is due, 0 for never
 * @work: removes what has expired
 * @save_id: where the save of the port goes on in @bindings
 * @save_transaction: where it goes on in @transactions
 */
struct guard_port {
	struct net_device *dev;
	struct guard_stats __percpu *stats;
	u32 checks;
	u8 link_local;
	bool snoop;
	struct hlist_head hash[1 << GUARD_HASH_BITS];
	struct hlist_head macs[1 << GUARD_MAC_BITS];
	DECLARE_BITMAP(lens4, 32);
	DECLARE_BITMAP(lens6, 128);
	struct guard_bucket bucket[GUARD_RATES];

	spinlock_t lock;	/* for every change of what follows */
	struct list_head bindings;
	unsigned long next_id;
	unsigned int n;
	unsigned int n_dad;
	unsigned int max;
	u16 n_lens4[32];
	u16 n_lens6[128];
	struct guard_transaction transactions[GUARD_TRANSACTIONS];
	u64 due;
	struct delayed_work work;

	unsigned long save_id;
	unsigned int save_transaction;
};

/**
 * struct guard_frame - a frame, while it is looked at
 * @guard: the port
 * @skb: the frame
 * @src: its source MAC address
 * @checks: what is checked
 * @vlan: its VLAN id, 0 for none
 */
struct guard_frame {
	struct guard_port *guard;
	const struct sk_buff *skb;
	const u8 *src;
	u32 checks;
	u16 vlan;
};

static inline bool guard_checks(const struct guard_frame *f, u32 check)
{
	return f->checks & check;
}

static inline void guard_count(struct guard_port *guard, enum guard_count what)
{
	struct guard_stats *stats = this_cpu_ptr(guard->stats);

	u64_stats_update_begin(&stats->syncp);
	u64_stats_inc(&stats->n[what]);
	u64_stats_update_end(&stats->syncp);
}

static inline void guard_key_ip4(struct guard_key *key, __be32 addr, u8 len,
				 u16 vlan)
{
	*key = (struct guard_key){
		.addr.s6_addr32[0] = addr,
		.vlan = vlan, .family = AF_INET, .len = len,
	};
}

static inline void guard_key_ip6(struct guard_key *key,
				 const struct in6_addr *addr, u8 len, u16 vlan)
{
	*key = (struct guard_key){
		.addr = *addr,
		.vlan = vlan, .family = AF_INET6, .len = len,
	};
}

static inline void guard_key_mac(struct guard_key *key, const u8 *mac, u16 vlan)
{
	*key = (struct guard_key){
		.vlan = vlan, .family = AF_UNSPEC, .len = ETH_ALEN * 8,
	};
	ether_addr_copy((u8 *)&key->addr, mac);
}

/* guard.c */
extern const struct vmq_ext_ops guard_ops;
bool guard_rate_allows(struct guard_port *guard, enum guard_rate what);
void guard_rate_set(struct guard_port *guard, enum guard_rate what, u32 rate);

/* guard_ip4.c */
enum guard_count guard_ipv4(const struct guard_frame *f);
enum guard_count guard_arp(const struct guard_frame *f);
enum guard_count guard_rarp(const struct guard_frame *f);
void guard_ipv4_in(const struct guard_frame *f);

/* guard_ip6.c */
enum guard_count guard_ipv6(const struct guard_frame *f);
void guard_ipv6_in(const struct guard_frame *f);

/* guard_snoop.c */
enum guard_count guard_dhcp4_out(const struct guard_frame *f, unsigned int off,
				 unsigned int len);
enum guard_count guard_dhcp6_out(const struct guard_frame *f, unsigned int off,
				 unsigned int len);
void guard_dhcp4_in(const struct guard_frame *f, unsigned int off,
		    unsigned int len);
void guard_dhcp6_in(const struct guard_frame *f, unsigned int off,
		    unsigned int len);
void guard_dad_out(const struct guard_frame *f, const struct in6_addr *target);
void guard_dad_in(const struct guard_frame *f, const struct in6_addr *target);

/* guard_table.c */
struct guard_binding *guard_binding_new(const struct guard_key *key, u8 origin,
					const u8 *mac, gfp_t gfp);
struct guard_binding *
guard_binding_from_rec(const struct vmq_guard_rec_binding *rec, gfp_t gfp);
void guard_binding_put(struct guard_binding *b);
bool guard_binding_expired(const struct guard_binding *b);
struct guard_binding *guard_find(const struct guard_port *guard,
				 const struct guard_key *key);
bool guard_ip4_ok(const struct guard_frame *f, __be32 addr);
bool guard_ip6_ok(const struct guard_frame *f, const struct in6_addr *addr);
bool guard_mac_ok(const struct guard_port *guard, const u8 *mac, u16 vlan);
void guard_insert(struct guard_port *guard, struct guard_binding *b);
void guard_remove(struct guard_port *guard, struct guard_binding *b);
int guard_learn(struct guard_port *guard, struct guard_binding *b,
		struct guard_binding **old);
void guard_expire_at(struct guard_port *guard, u64 when);
void guard_expire_work(struct work_struct *work);
void guard_flush_all(struct guard_port *guard);

/* guard_config.c */
int guard_config_set(struct vmq_ext_port *ep, const struct nlattr *config,
		     struct netlink_ext_ack *extack);

/* guard_dump.c */
int guard_config_dump(struct vmq_ext_port *ep, struct sk_buff *msg,
		      unsigned long *cursor);

/* guard_state.c */
int guard_save_begin(struct vmq_ext_port *ep, struct netlink_ext_ack *extack);
int guard_save_next(struct vmq_ext_port *ep, struct vmq_record *rec);
int guard_restore_begin(struct vmq_ext_port *ep,
			struct netlink_ext_ack *extack);
int guard_validate(struct vmq_ext_port *ep, const struct vmq_record *rec,
		   struct netlink_ext_ack *extack);
int guard_apply(struct vmq_ext_port *ep, const struct vmq_record *rec,
		struct netlink_ext_ack *extack);
void guard_rollback(struct vmq_ext_port *ep);
void guard_restore_complete(struct vmq_ext_port *ep, bool ok);

#endif /* _VMQ_GUARD_H */
