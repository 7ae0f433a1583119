/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The rule engine: which target does a frame with these header fields belong to?
 *
 * Plain structures only: ethtool, netlink and ports translate into it, and KUnit
 * drives it without a netdev. Changes need the caller's lock; lookups run in an
 * RCU read-side section and take no lock.
 */
#ifndef _VMQ_RULE_H
#define _VMQ_RULE_H

#include <linux/if_ether.h>
#include <linux/if_vlan.h>
#include <linux/rbtree_types.h>
#include <linux/rcupdate.h>
#include <linux/string.h>
#include <linux/types.h>

/**
 * struct vmq_key - header fields of a frame, or the bits of them that count
 * @dst: destination MAC address
 * @vlan: the whole 802.1Q tag, 0 for a frame without one
 * @src: source MAC address
 * @ethertype: type behind the tag
 * @saddr: source IPv4 (first word) or IPv6 address
 * @daddr: destination IPv4 (first word) or IPv6 address
 * @sport: source port of TCP, UDP or SCTP
 * @dport: destination port of TCP, UDP or SCTP
 * @proto: protocol behind the IP header
 * @tos: type of service or traffic class
 * @l3: 4 or 6 for a frame whose IP header was read, else 0
 * @l4: 1 for a frame whose ports were read, else 0
 *
 * Fields that a frame does not have are 0. All values are in network byte order.
 */
struct vmq_key {
	u8 dst[ETH_ALEN];
	__be16 vlan;
	u8 src[ETH_ALEN];
	__be16 ethertype;
	__be32 saddr[4];
	__be32 daddr[4];
	__be16 sport;
	__be16 dport;
	u8 proto;
	u8 tos;
	u8 l3;
	u8 l4;
} __aligned(8);

#define VMQ_KEY_WORDS	(sizeof(struct vmq_key) / sizeof(u64))

static inline const u64 *vmq_key_words(const struct vmq_key *key)
{
	return (const u64 *)key;
}

static inline bool vmq_key_equal(const struct vmq_key *a,
				 const struct vmq_key *b)
{
	return !memcmp(a, b, sizeof(*a));
}

/**
 * struct vmq_rule - one rule
 * @key: what the fields must be
 * @mask: the bits of each field that are tested; a bit that is not tested is 0
 *	in @key too
 * @id: filter id, 1 and up; among overlapping rules of one rank the lower wins
 * @last: looked at after all others, as a MAC or VLAN filter of the default
 *	queue is (O-11)
 * @target: what the lookup returns; at least 4-byte aligned, never NULL
 * @near: what who has the target is going to read, and
 * @near_cpu: the same of each CPU: for prefetching alone, so they may be stale; NULL,
 *	both of them, where there is no such thing
 * @rank: set by vmq_rules_add()
 * @order: among the tuple's rules, by rank and id
 * @rcu: for the grace period before the rule is freed
 *
 * All is the caller's, who changes nothing of it while the rule is in.
 */
struct vmq_rule {
	struct vmq_key key;
	struct vmq_key mask;
	u32 id;
	bool last;
	void *target;
	const void *near;
	const void __percpu *near_cpu;

	u8 rank;
	struct rb_node order;
	struct rcu_head rcu;
};

struct vmq_exact;
struct vmq_tuples;

/**
 * struct vmq_rules - the rules of one adapter
 * @exact: full destination MAC with a VLAN id, untagged-or-zero, or any tag
 * @first: rules that test more than destination MAC and VLAN id; they win over
 *	@exact
 * @rest: all others; they lose against @exact
 * @seed: of all hashes
 * @any_vlan: number of rules in @exact that accept any tag
 * @ip: number of rules that look behind the Ethernet header
 * @moves: how often a rule took the place of one for other frames
 * @count: rules in all
 *
 * @first and @rest are NULL while empty, so that their search costs one load.
 * Lookups read what stands before @count.
 */
struct vmq_rules {
	struct vmq_exact __rcu *exact;
	struct vmq_tuples __rcu *first;
	struct vmq_tuples __rcu *rest;
	u64 seed;
	unsigned int any_vlan;
	unsigned int ip;
	unsigned int moves;

	unsigned int count;
};

int vmq_rules_init(struct vmq_rules *rules);
void vmq_rules_destroy(struct vmq_rules *rules);
int vmq_rules_add(struct vmq_rules *rules, struct vmq_rule *rule);
void vmq_rules_del(struct vmq_rules *rules, struct vmq_rule *rule);
int vmq_rules_replace(struct vmq_rules *rules, struct vmq_rule *old,
		      struct vmq_rule *new);
void vmq_rules_retarget(struct vmq_rules *rules, struct vmq_rule *rule,
			void *target);
const struct vmq_rule *vmq_rules_find(struct vmq_rules *rules,
				      const struct vmq_key *key,
				      const struct vmq_key *mask);
void *vmq_rules_lookup_mac(const struct vmq_rules *rules, const u8 *mac,
			   u16 vid);
void *vmq_rules_lookup(const struct vmq_rules *rules,
		       const struct vmq_key *key);

/**
 * vmq_rules_masked() - are there rules that need more than MAC and VLAN id?
 * @rules: the rules
 *
 * Context: Any.
 * Return: true where vmq_rules_lookup() is needed, false where
 * vmq_rules_lookup_mac() gives the same answer.
 */
static inline bool vmq_rules_masked(const struct vmq_rules *rules)
{
	return rcu_access_pointer(rules->first) ||
	       rcu_access_pointer(rules->rest);
}

/**
 * vmq_rules_need_ip() - do rules look behind the Ethernet header?
 * @rules: the rules
 *
 * Context: Any.
 * Return: true where they do; false where the fields from @saddr on may be 0.
 */
static inline bool vmq_rules_need_ip(const struct vmq_rules *rules)
{
	return READ_ONCE(rules->ip);
}

bool vmq_rule_same_match(const struct vmq_rule *a, const struct vmq_rule *b);
bool vmq_rule_matches(const struct vmq_rule *rule, const struct vmq_key *key);

#endif /* _VMQ_RULE_H */
