/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The exact part of the rule engine: a whole destination MAC address with one
 * VLAN id, or with any tag. Every frame looks here, so this is the one hash
 * table that is not the kernel's: key and target share a cache line.
 */
#ifndef _VMQ_RULE_TABLE_H
#define _VMQ_RULE_TABLE_H

#include <linux/hash.h>
#include <linux/prefetch.h>
#include <linux/unaligned.h>

#include "rule.h"

/* The low bits of a slot's key; MAC address and VLAN id are above. */
#define VMQ_EXACT_VALID		BIT_ULL(0)	/* no key is 0 */
#define VMQ_EXACT_ANY		BIT_ULL(1)	/* any tag, or none */
#define VMQ_EXACT_VID_SHIFT	4

/* In a slot's target: the rule has @last set. */
#define VMQ_EXACT_LAST		1UL

/**
 * struct vmq_slot - one place in the table
 * @key: 0 until the slot is first used; then it never changes, so a reader that
 *	saw the key can never be given the target of another
 * @target: of the rule, with VMQ_EXACT_LAST; 0 while there is no such rule
 * @near: as in struct vmq_rule, so that with many rules a frame does not wait for the
 *	target only to wait for what that points to
 * @near_cpu: likewise
 */
struct vmq_slot {
	u64 key;
	unsigned long target;
	const void *near;
	const void __percpu *near_cpu;
} __aligned(32);

/**
 * struct vmq_exact - open-addressed table, searched linearly
 * @bits: it has 2^@bits slots
 * @used: slots with a key, at most 3/4 of all
 * @live: slots with a target
 * @rule: the rule of each slot, for changes only
 * @rcu: for the grace period before it is freed
 * @slot: the slots
 */
struct vmq_exact {
	unsigned int bits;
	unsigned int used;
	unsigned int live;
	struct vmq_rule **rule;
	struct rcu_head rcu;
	struct vmq_slot slot[] __aligned(64);
};

int vmq_exact_init(struct vmq_rules *rules);
void vmq_exact_destroy(struct vmq_rules *rules);
int vmq_exact_add(struct vmq_rules *rules, struct vmq_rule *rule);
void vmq_exact_set(struct vmq_rules *rules, struct vmq_rule *rule);
void vmq_exact_del(struct vmq_rules *rules, const struct vmq_rule *rule);
struct vmq_rule *vmq_exact_find(const struct vmq_rules *rules,
				const struct vmq_key *key,
				const struct vmq_key *mask);

/* As the bytes lie in memory: the key is only compared and hashed. */
static __always_inline u64 vmq_exact_mac(const u8 *mac)
{
	return (u64)__get_unaligned_t(u32, mac) << 32 |
	       (u64)__get_unaligned_t(u16, mac + 4) << 16;
}

static __always_inline u64 vmq_exact_vid(u16 vid)
{
	return (u64)vid << VMQ_EXACT_VID_SHIFT | VMQ_EXACT_VALID;
}

static __always_inline unsigned int
vmq_exact_hash(const struct vmq_exact *exact, u64 seed, u64 key)
{
	return hash_64(key ^ seed, exact->bits);
}

/* slot: set to where it was found, left alone where it was not. */
static __always_inline unsigned long
vmq_exact_get(const struct vmq_exact *exact, u64 seed, u64 key,
	      const struct vmq_slot **slot)
{
	unsigned int mask = (1U << exact->bits) - 1;
	unsigned int i = vmq_exact_hash(exact, seed, key);

	for (;; i = (i + 1) & mask) {
		/* Pairs with the release in vmq_exact_add(). */
		u64 found = smp_load_acquire(&exact->slot[i].key);

		if (found == key) {
			*slot = &exact->slot[i];
			return READ_ONCE(exact->slot[i].target);
		}
		if (!found)
			return 0;
	}
}

/* Asks for where the rule of a frame is, if it is for the VLAN id. Context: as below. */
static __always_inline void vmq_exact_prefetch(const struct vmq_rules *rules,
					       const u8 *mac, u16 vid)
{
	const struct vmq_exact *exact = rcu_dereference(rules->exact);
	u64 key = vmq_exact_mac(mac) | vmq_exact_vid(vid);

	prefetch(&exact->slot[vmq_exact_hash(exact, rules->seed, key)]);
}

/* Where the rule for the VLAN id alone does not settle it. */
static noinline unsigned long vmq_exact_any(const struct vmq_rules *rules,
					    const struct vmq_exact *exact,
					    u64 mac, unsigned long hit)
{
	const struct vmq_slot *slot;
	unsigned long any;

	any = vmq_exact_get(exact, rules->seed,
			    mac | VMQ_EXACT_ANY | VMQ_EXACT_VALID, &slot);
	if (any && (!hit || !(any & VMQ_EXACT_LAST)))
		return any;
	return hit;
}

/*
 * The best exact rule of a frame, as in a slot's target: its VLAN id before any
 * tag, but a rule with @last only when there is none without. Inline for the sake
 * of kernels that are built small: each frame comes here.
 */
static __always_inline unsigned long
vmq_exact_lookup(const struct vmq_rules *rules, const u8 *mac, u16 vid,
		 const struct vmq_slot **slot)
{
	const struct vmq_exact *exact = rcu_dereference(rules->exact);
	u64 key = vmq_exact_mac(mac);
	unsigned long hit;

	hit = vmq_exact_get(exact, rules->seed, key | vmq_exact_vid(vid), slot);
	if ((hit && !(hit & VMQ_EXACT_LAST)) || !READ_ONCE(rules->any_vlan))
		return hit;
	return vmq_exact_any(rules, exact, key, hit);
}

/* Was a rule moved since @moves was read? Then a lookup may have missed it. */
static __always_inline bool vmq_rules_moved(const struct vmq_rules *rules,
					    unsigned int moves)
{
	/* Pairs with the smp_wmb() in vmq_rules_replace(). */
	smp_rmb();
	return READ_ONCE(rules->moves) != moves;
}

/**
 * vmq_exact_target_of() - vmq_rules_lookup_mac() for who has no time for a call
 * @rules: the rules; not for those that vmq_rules_masked() is true for
 * @mac: destination MAC address, 6 bytes
 * @vid: VLAN id, 0 to 4095; 0 for an untagged or priority-tagged frame (F-22)
 * @slot: set to a slot whose @near is worth a prefetch, or left alone
 *
 * Context: Any, in an RCU read-side section.
 * Return: the target, or NULL if no rule matches (F-15).
 */
static __always_inline void *
vmq_exact_target_of(const struct vmq_rules *rules, const u8 *mac, u16 vid,
		    const struct vmq_slot **slot)
{
	unsigned int moves;
	unsigned long hit;

	do {
		/* Pairs with the release in vmq_rules_replace(). */
		moves = smp_load_acquire(&rules->moves);
		hit = vmq_exact_lookup(rules, mac, vid, slot);
	} while (unlikely(vmq_rules_moved(rules, moves)));

	return (void *)(hit & ~VMQ_EXACT_LAST);
}

#endif /* _VMQ_RULE_TABLE_H */
