/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The extension acl: stateful allow and deny rules of a port.
 *
 * acl.c        module, life of a port, the way of a frame
 * acl_config.c configuration over netlink
 * acl_dump.c   and its dump
 * acl_config_rule.c a rule of it
 * acl_rule.c   rules of a port
 * acl_class.c  which of them decides a frame
 * acl_class_build.c compiles them for that
 * acl_flow.c   what a frame is, read safely
 * acl_conn.c   one connection: state, timeout
 * acl_table.c  the connections of a port
 * acl_state.c  connections to and from a saved stream
 * acl_record.c what may be in it
 *
 * Locks: rtnl serialises configuration, restore and detach. acl_port.lock
 * (BH) covers every change of which connections there are; inside it
 * acl_conn.lock covers the state of one. Frames that only follow a connection
 * take neither: RCU, and acl_conn.lock for a change of state.
 */
#ifndef _VMQ_ACL_H
#define _VMQ_ACL_H

#include <linux/bitfield.h>
#include <linux/cache.h>
#include <linux/in6.h>
#include <linux/jiffies.h>
#include <linux/rhashtable.h>
#include <linux/spinlock.h>
#include <linux/u64_stats_sync.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <net/vmq.h>

#include "acl_record.h"
#include "acl_rule.h"

/* Most connections of a port unless configured otherwise. */
#define ACL_CONNS_DEFAULT	65536

/*
 * Most connections that may be configured: as many as a stream of 16 MiB, the
 * default limit of the core, has room for.
 */
#define ACL_CONNS_MAX		250000

/*
 * Seconds until a connection without frames is forgotten. A handshake, a
 * half-closed or a closing connection goes soon, so that a flood of them does
 * not fill the table.
 */
#define ACL_TIMEOUT_SYN		30
#define ACL_TIMEOUT_ESTABLISHED	3600
#define ACL_TIMEOUT_CLOSING	60
#define ACL_TIMEOUT_CLOSED	10
#define ACL_TIMEOUT_UDP		30
#define ACL_TIMEOUT_UDP_REPLIED	180
#define ACL_TIMEOUT_ICMP	30

/* The collector: seconds between two rounds, connections looked at in a go. */
#define ACL_GC_INTERVAL		2
#define ACL_GC_BATCH		2048

/**
 * struct acl_key - names a connection, as the guest sees it
 * @local: address of the guest; IPv4 has it in the first word
 * @remote: address of the other end
 * @rest: acl_key_rest(): ports, VLAN id, protocol, family and who asks an echo, as
 *	an echo request of the other end is not part of the guest's own
 *
 * Hashed and compared as words of 64 bits, and written as such: what was written
 * in smaller pieces would have to reach the cache before it can be read.
 */
struct acl_key {
	struct in6_addr local;
	struct in6_addr remote;
	u64 rest;
} __aligned(8);

/* Where the fields are in acl_key.rest, from the lowest bit on. */
#define ACL_KEY_LOCAL_PORT	GENMASK_ULL(15, 0)	/* or identifier of an echo */
#define ACL_KEY_REMOTE_PORT	GENMASK_ULL(31, 16)	/* or that again */
#define ACL_KEY_VLAN		GENMASK_ULL(43, 32)
#define ACL_KEY_PROTO		GENMASK_ULL(55, 48)
#define ACL_KEY_IPV6		BIT_ULL(56)
#define ACL_KEY_ECHO_OUT	BIT_ULL(57)		/* the guest asks */

/**
 * enum acl_flow_kind - what kind of frame it is
 * @ACL_FLOW_FREE: not IP, or neighbour discovery: passes unless a rule is about it
 * @ACL_FLOW_BAD: its headers are wrong or cut short: never passes
 * @ACL_FLOW_RULES: only rules know
 * @ACL_FLOW_TRACKED: may belong to the connection &acl_flow.key
 * @ACL_FLOW_ERROR: ICMP error about a frame of the connection &acl_flow.key
 */
enum acl_flow_kind {
	ACL_FLOW_FREE,
	ACL_FLOW_BAD,
	ACL_FLOW_RULES,
	ACL_FLOW_TRACKED,
	ACL_FLOW_ERROR,
};

/* Bits of acl_flow.tcp */
#define ACL_TCP_FIN		BIT(0)
#define ACL_TCP_SYN		BIT(1)
#define ACL_TCP_RST		BIT(2)
#define ACL_TCP_ACK		BIT(4)

/**
 * struct acl_ip - the IP packet in a frame, or the one that an ICMP error is about
 * @src: source address; IPv4 has it in the first word
 * @dst: destination address
 * @l4: where its payload starts
 * @end: where the packet ends
 * @fragment: bytes before this fragment
 * @family: AF_INET or AF_INET6
 * @proto: protocol
 * @proto_known: @proto is the one behind all headers; not so for a later
 *	fragment of IPv6 with more extension headers
 */
struct acl_ip {
	struct in6_addr src;
	struct in6_addr dst;
	unsigned int l4;
	unsigned int end;
	u16 fragment;
	u8 family;
	u8 proto;
	bool proto_known;
} __aligned(8);

/**
 * struct acl_flow - what the extension wants to know of one frame
 * @key: the connection, for %ACL_FLOW_TRACKED and %ACL_FLOW_ERROR alone
 * @ip: the packet; its family is 0 if there is none
 * @sport: source port, host order
 * @dport: destination port, host order
 * @vlan: VLAN id, 0 for none: that of the first tag that names one
 * @ethertype: type behind that tag
 * @dir: of &enum vmq_dir
 * @view: of &enum acl_view
 * @creates: makes a connection if the rules allow the frame
 * @free: it is %ACL_FLOW_FREE
 * @tcp: flags of TCP, ACL_TCP_* and others
 * @icmp_type: type of an ICMP message
 * @icmp_code: its code
 *
 * What a frame does not have is 0.
 */
struct acl_flow {
	struct acl_key key;
	struct acl_ip ip;
	u16 sport;
	u16 dport;
	u16 vlan;
	__be16 ethertype;
	u8 dir;
	u8 view;
	bool creates;
	bool free;
	u8 tcp;
	u8 icmp_type;
	u8 icmp_code;
};

/**
 * struct acl_conn - one connection
 * @node: in &acl_port.table
 * @key: its name
 * @expires: low bits of jiffies when it ends; written without a lock
 * @state: of &enum vmq_acl_state
 * @dir: of the first frame, &enum vmq_dir
 * @fins: VMQ_ACL_REC_FIN_IN, VMQ_ACL_REC_FIN_OUT
 * @restored: it came with a stream
 * @packets: frames by &enum vmq_dir, low halves
 * @lock: for @state, @dir, @fins and @dead
 * @index: in &acl_port.conns
 * @dead: it is not in the table any more
 * @pin: the restore that owns it while &acl_port.pin is the same, or 0; under
 *	&acl_port.lock
 * @packets_high: frames, high halves
 * @rcu: frees it
 *
 * With many connections each frame finds its own in no cache: all that a frame
 * of a known connection looks at is in the first line.
 */
struct acl_conn {
	struct rhash_head node;
	struct acl_key key;
	u32 expires;
	u8 state;
	u8 dir;
	u8 fins;
	bool restored;
	atomic_t packets[2];

	spinlock_t lock ____cacheline_aligned;	/* state, dir, fins, dead */
	u32 index;
	bool dead;
	atomic_t packets_high[2];
	u64 pin;
	struct rcu_head rcu;
} ____cacheline_aligned;

/**
 * struct acl_port_stats - counters of a port, on one CPU
 * @allowed: frames that passed
 * @denied: frames that did not
 * @untracked: those of them for which the table had no room
 * @syncp: for 32-bit hosts
 *
 * Frames that pass always, such as ARP, are in none of them.
 */
struct acl_port_stats {
	u64_stats_t allowed;
	u64_stats_t denied;
	u64_stats_t untracked;
	struct u64_stats_sync syncp;
};

/**
 * struct acl_port - the extension on one port
 * @rules: NULL while there are none
 * @n_conns: connections; changed under @lock
 * @max_conns: most connections that frames may make
 * @table: connections by key
 * @stats: counters
 * @conns: connections by a small number that each keeps for life: the order in
 *	which they are dumped, saved and collected
 * @lock: for every change of @table and @conns
 * @pin: the restore that runs; 0: none
 * @last_pin: the one that ran last
 * @loose: connections that are not in the table and that this restore has to free
 * @next_id: id of the next rule; rtnl
 * @gc: collects what expired; runs while there are connections
 * @gc_pos: where it goes on in @conns
 * @save_pos: where the save of the port goes on in @conns
 * @saved: connections that the save gave so far
 * @save_asked: the save already asked for more room once, for this record
 */
struct acl_port {
	struct acl_rules __rcu *rules;
	unsigned int n_conns;
	unsigned int max_conns;
	struct rhashtable table;
	struct acl_port_stats __percpu *stats;

	struct xarray conns;
	spinlock_t lock;		/* changes of table and conns, pins */
	u64 pin;
	u64 last_pin;
	unsigned int loose;
	u32 next_id;
	struct delayed_work gc;
	unsigned long gc_pos;

	unsigned long save_pos;
	unsigned int saved;
	bool save_asked;
};

/**
 * acl_conn_left - Tell how long a connection has without another frame.
 * @conn: the connection
 *
 * It may still be in the table after its end, until it is collected. That is long
 * before the low bits of jiffies, which it has, come round.
 *
 * Return: jiffies, 0 or less if it is over.
 */
static inline int acl_conn_left(const struct acl_conn *conn)
{
	return READ_ONCE(conn->expires) - (u32)jiffies;
}

/**
 * acl_conn_expired - Tell whether the time of a connection is over.
 * @conn: the connection
 *
 * Return: whether it is over.
 */
static inline bool acl_conn_expired(const struct acl_conn *conn)
{
	return acl_conn_left(conn) <= 0;
}

static __always_inline u64 acl_key_rest(u16 local_port, u16 remote_port,
					u16 vlan, u8 family, u8 proto)
{
	return FIELD_PREP(ACL_KEY_LOCAL_PORT, local_port) |
	       FIELD_PREP(ACL_KEY_REMOTE_PORT, remote_port) |
	       FIELD_PREP(ACL_KEY_VLAN, vlan) |
	       FIELD_PREP(ACL_KEY_PROTO, proto) |
	       (family == AF_INET6 ? ACL_KEY_IPV6 : 0);
}

static inline u8 acl_key_family(const struct acl_key *key)
{
	return key->rest & ACL_KEY_IPV6 ? AF_INET6 : AF_INET;
}

static inline u8 acl_key_proto(const struct acl_key *key)
{
	return FIELD_GET(ACL_KEY_PROTO, key->rest);
}

/* acl.c */
extern const struct vmq_ext_ops acl_ops;

/* acl_config.c */
int acl_config_set(struct vmq_ext_port *ep, const struct nlattr *config,
		   struct netlink_ext_ack *extack);

/* acl_dump.c */
int acl_config_dump(struct vmq_ext_port *ep, struct sk_buff *msg,
		    unsigned long *cursor);

/* acl_flow.c */
enum acl_flow_kind acl_flow_parse(const struct sk_buff *skb, enum vmq_dir dir,
				  struct acl_flow *flow);

/* acl_conn.c */
unsigned int acl_conn_timeout(u8 proto, u8 state);
u32 acl_conn_deadline(const struct acl_conn *conn, u8 state);
u64 acl_conn_packets(const struct acl_conn *conn, enum vmq_dir dir);
void acl_conn_packets_set(struct acl_conn *conn, enum vmq_dir dir, u64 n);
bool acl_conn_follow(struct acl_conn *conn, const struct acl_flow *flow);
void acl_conn_reset(struct acl_conn *conn, const struct acl_flow *flow);
bool acl_conn_restart(struct acl_conn *conn, const struct acl_flow *flow);

/* acl_table.c */
void acl_conns_seed(void);
int acl_conns_init(struct acl_port *acl);
void acl_conns_destroy(struct acl_port *acl);
struct acl_conn *acl_conn_find(struct acl_port *acl, const struct acl_key *key);
int acl_conn_start(struct acl_port *acl, struct acl_conn *conn,
		   const struct acl_flow *flow);
void acl_conns_pin(struct acl_port *acl);
bool acl_conns_unpin(struct acl_port *acl, bool all);
bool acl_conn_pinned(const struct acl_port *acl, const struct acl_conn *conn);
void acl_conns_reserve(struct acl_port *acl, unsigned int n);
void acl_conn_expect(struct acl_port *acl, const struct acl_key *key);
int acl_conn_insert(struct acl_port *acl, struct acl_conn *conn,
		    struct acl_conn **old);
bool acl_conn_put_back(struct acl_port *acl, struct acl_conn *conn,
		       struct acl_conn *old);
bool acl_conn_keep(struct acl_port *acl, struct acl_conn *conn);
void acl_conns_flush(struct acl_port *acl);
bool acl_conns_collect(struct acl_port *acl);

/* acl_state.c */
int acl_save_begin(struct vmq_ext_port *ep, struct netlink_ext_ack *extack);
int acl_save_next(struct vmq_ext_port *ep, struct vmq_record *rec);
void acl_save_complete(struct vmq_ext_port *ep, bool ok);
int acl_restore_begin(struct vmq_ext_port *ep, struct netlink_ext_ack *extack);
int acl_validate(struct vmq_ext_port *ep, const struct vmq_record *rec,
		 struct netlink_ext_ack *extack);
int acl_apply(struct vmq_ext_port *ep, const struct vmq_record *rec,
	      struct netlink_ext_ack *extack);
void acl_rollback(struct vmq_ext_port *ep);
void acl_restore_complete(struct vmq_ext_port *ep, bool ok);

#endif /* _VMQ_ACL_H */
