/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The extension acl: rules, and how they are looked up.
 */
#ifndef _VMQ_ACL_RULE_H
#define _VMQ_ACL_RULE_H

#include <linux/if_ether.h>
#include <linux/in6.h>
#include <linux/rcupdate.h>
#include <linux/u64_stats_sync.h>
#include <net/netlink.h>
#include <uapi/linux/vmq.h>

struct acl_flow;
struct acl_port;

/* Most rules of a port; positions of rules have 16 bits. */
#define ACL_RULES_MAX		4096

/**
 * struct acl_fields - what rules can test of a frame, or the bits of it that count
 * @src: source address; IPv4 has it in the first word
 * @dst: destination address
 * @eth_src: source MAC address
 * @ethertype: type behind the tag that names the VLAN, host order
 * @eth_dst: destination MAC address
 * @vlan: VLAN id, 0 for none
 * @sport: source port, host order
 * @dport: destination port, host order
 * @family: AF_INET, AF_INET6, or 0 for what is not IP
 * @proto: protocol
 * @icmp_type: of ICMP and ICMPv6
 * @icmp_code: likewise
 * @tcp: flags, as in the header of TCP
 * @free: 1 for what passes unless a rule is about it, see &acl_rule.link
 * @zero: 0, as this is hashed and compared as words
 *
 * Fields that a frame does not have are 0.
 */
struct acl_fields {
	struct in6_addr src;
	struct in6_addr dst;
	u8 eth_src[ETH_ALEN];
	u16 ethertype;
	u8 eth_dst[ETH_ALEN];
	u16 vlan;
	u16 sport;
	u16 dport;
	u8 family;
	u8 proto;
	u8 icmp_type;
	u8 icmp_code;
	u8 tcp;
	u8 free;
	u8 zero[6];
} __aligned(8);

#define ACL_FIELD_WORDS		(sizeof(struct acl_fields) / sizeof(u64))

/**
 * enum acl_view - how much of a frame can be seen
 * @ACL_VIEW_WHOLE: all that it has
 * @ACL_VIEW_FRAGMENT: a later fragment: the protocol, nothing behind its header
 * @ACL_VIEW_NO_PROTO: a later fragment of IPv6 with more extension headers
 * @ACL_VIEWS: their number
 *
 * What is not known must not be a way around a rule: it never fits a rule that
 * allows and always one that denies.
 */
enum acl_view {
	ACL_VIEW_WHOLE,
	ACL_VIEW_FRAGMENT,
	ACL_VIEW_NO_PROTO,
	ACL_VIEWS,
};

/**
 * struct acl_rule_stats - what a rule decided, on one CPU
 * @packets: frames
 * @bytes: bytes from the Ethernet header on
 * @syncp: for 32-bit hosts
 */
struct acl_rule_stats {
	u64_stats_t packets;
	u64_stats_t bytes;
	struct u64_stats_sync syncp;
};

/**
 * struct acl_rule - one rule, immutable
 * @key: fields that a frame must have
 * @mask: bits of them that are tested; a port has all or none
 * @id: assigned by the kernel, counting up from 1
 * @priority: lower is looked at first, equal ones by id
 * @sport_min: lowest source port
 * @sport_max: highest source port
 * @dport_min: lowest destination port
 * @dport_max: highest destination port
 * @dir: of &enum vmq_dir
 * @allow: lets the frame pass
 * @src_len: length of the source prefix in bits
 * @dst_len: length of the destination prefix in bits
 * @has_src: has a source prefix, which may be of length 0
 * @has_dst: has a destination prefix, likewise
 * @has_sport: tests the source port
 * @has_dport: tests the destination port
 * @link: is about frames that pass without it, too: it tests fields of Ethernet,
 *	or the type of an ICMP message
 * @stats: counters; shared by the copies of the rule in successive lists
 */
struct acl_rule {
	struct acl_fields key;
	struct acl_fields mask;
	u32 id;
	u32 priority;
	u16 sport_min;
	u16 sport_max;
	u16 dport_min;
	u16 dport_max;
	u8 dir;
	bool allow;
	u8 src_len;
	u8 dst_len;
	bool has_src:1;
	bool has_dst:1;
	bool has_sport:1;
	bool has_dport:1;
	bool link:1;
	struct acl_rule_stats __percpu *stats;
};

struct acl_class;

/**
 * struct acl_rules - all rules of a port, immutable once published
 * @rcu: frees it
 * @n: number of rules
 * @n_in: the first so many are for frames to the guest
 * @link: whether a rule of that direction is one with &acl_rule.link
 * @class: how they are looked up, by direction and view; NULL for no rules
 * @by_id: positions of the rules in the order of their ids; behind @rule
 * @rule: the rules, by direction, priority and id
 */
struct acl_rules {
	struct rcu_head rcu;
	unsigned int n;
	unsigned int n_in;
	bool link[2];
	struct acl_class *class[2][ACL_VIEWS];
	u16 *by_id;
	struct acl_rule rule[] __counted_by(n);
};

/**
 * struct acl_edit - rules of a port being changed, not yet seen by frames
 * @rule: the rules as they will be, in any order
 * @n: number of rules
 * @room: how many @rule has room for
 * @first_id: rules from this id on are new
 * @next_id: id of the next new rule
 * @gone: counters of old rules that were removed
 * @n_gone: their number
 */
struct acl_edit {
	struct acl_rule *rule;
	unsigned int n;
	unsigned int room;
	u32 first_id;
	u32 next_id;
	struct acl_rule_stats __percpu **gone;
	unsigned int n_gone;
};

/* acl_rule.c */
int acl_edit_begin(struct acl_edit *edit, const struct acl_port *acl,
		   unsigned int more);
int acl_edit_add(struct acl_edit *edit, const struct acl_rule *rule,
		 struct netlink_ext_ack *extack);
int acl_edit_del(struct acl_edit *edit, u32 id);
void acl_edit_flush(struct acl_edit *edit);
int acl_edit_commit(struct acl_edit *edit, struct acl_port *acl);
void acl_edit_abort(struct acl_edit *edit);
struct acl_rules *acl_rules_build(const struct acl_rule *rule, unsigned int n);
void acl_rules_destroy(struct acl_rules *rules);
void acl_rules_free(struct acl_port *acl);
const struct acl_rule *acl_rules_next(const struct acl_rules *rules, u32 id);
void acl_rule_counters(const struct acl_rule *rule, u64 *packets, u64 *bytes);
const struct acl_rule *acl_rules_judge(const struct acl_rules *rules,
				       const struct acl_flow *flow,
				       const struct sk_buff *skb);

/* acl_config_rule.c */
extern const struct nla_policy acl_rule_policy[VMQ_A_ACL_RULE_MAX + 1];
int acl_rule_parse(const struct nlattr *attr, struct acl_rule *rule,
		   struct netlink_ext_ack *extack);
void acl_rule_finish(struct acl_rule *rule);
int acl_rule_put(struct sk_buff *msg, const struct acl_rule *rule);

/* acl_class_build.c */
struct acl_class_work;
struct acl_class_work *acl_class_work_new(unsigned int n);
void acl_class_work_free(struct acl_class_work *work);
struct acl_class *acl_class_build(struct acl_class_work *work,
				  const struct acl_rule *rule,
				  unsigned int from, unsigned int to,
				  enum acl_view view);
void acl_class_free(struct acl_class *class);

/* acl_class.c */
unsigned int acl_class_groups(const struct acl_class *class);
const struct acl_rule *acl_class_find(const struct acl_class *class,
				      const struct acl_rule *rule,
				      const struct acl_fields *fields);

#endif /* _VMQ_ACL_RULE_H */
