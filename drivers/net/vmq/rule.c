// SPDX-License-Identifier: GPL-2.0
/*
 * The rule engine. A rule's mask says where it is kept: those for a whole
 * destination MAC address with one VLAN id or any tag, which is what ports
 * have, in the hash table of rule_table.c; all others in rule_tuple.c, in a
 * list that is looked at before that table or in one that is looked at after.
 */
#include <linux/etherdevice.h>
#include <linux/random.h>
#include <linux/string.h>

#include "rule.h"
#include "rule_table.h"
#include "rule_tuple.h"

/* Lower wins (O-11). */
enum {
	VMQ_RANK_FIRST,		/* more than destination MAC and VLAN id */
	VMQ_RANK_MAC_VID,
	VMQ_RANK_MAC,
	VMQ_RANK_REST,
	VMQ_RANK_LAST,		/* added to all but the first */
};

static_assert(sizeof(struct vmq_key) % sizeof(u64) == 0);
/* The first word is all that the exact table looks at. */
static_assert(offsetofend(struct vmq_key, vlan) == sizeof(u64));

/* Tests @key nothing but bits that are in @mask? */
static bool vmq_key_within(const struct vmq_key *key,
			   const struct vmq_key *mask)
{
	unsigned int i;

	for (i = 0; i < VMQ_KEY_WORDS; i++)
		if (vmq_key_words(key)[i] & ~vmq_key_words(mask)[i])
			return false;
	return true;
}

static u8 vmq_mask_rank(const struct vmq_key *mask)
{
	unsigned int i;

	for (i = 1; i < VMQ_KEY_WORDS; i++)
		if (vmq_key_words(mask)[i])
			return VMQ_RANK_FIRST;
	if (mask->vlan & ~cpu_to_be16(VLAN_VID_MASK))
		return VMQ_RANK_FIRST;

	if (is_broadcast_ether_addr(mask->dst)) {
		if (mask->vlan == cpu_to_be16(VLAN_VID_MASK))
			return VMQ_RANK_MAC_VID;
		if (!mask->vlan)
			return VMQ_RANK_MAC;
	}
	return VMQ_RANK_REST;
}

/* Does it look behind the Ethernet header? */
static bool vmq_mask_ip(const struct vmq_key *mask)
{
	return memchr_inv((const u8 *)mask + offsetof(struct vmq_key, saddr), 0,
			  sizeof(*mask) - offsetof(struct vmq_key, saddr));
}

static u8 vmq_rule_rank(const struct vmq_rule *rule)
{
	u8 rank = vmq_mask_rank(&rule->mask);

	return rank && rule->last ? rank + VMQ_RANK_LAST : rank;
}

static bool vmq_mask_exact(const struct vmq_key *mask)
{
	u8 rank = vmq_mask_rank(mask);

	return rank == VMQ_RANK_MAC_VID || rank == VMQ_RANK_MAC;
}

static int vmq_rule_check(const struct vmq_rule *rule)
{
	unsigned long target = (unsigned long)rule->target;

	if (!rule->id || !target || !IS_ALIGNED(target, 4) ||
	    !vmq_key_within(&rule->key, &rule->mask))
		return -EINVAL;
	return 0;
}

/**
 * vmq_rule_same_match() - do two rules test the same fields for the same values?
 * @a: one rule
 * @b: the other
 *
 * Context: Any.
 * Return: true if they match the same frames (O-11).
 */
bool vmq_rule_same_match(const struct vmq_rule *a, const struct vmq_rule *b)
{
	return vmq_key_equal(&a->key, &b->key) &&
	       vmq_key_equal(&a->mask, &b->mask);
}

/**
 * vmq_rule_matches() - does a frame pass all tests of a rule? (F-13, F-18)
 * @rule: the rule; fields that it does not test are ignored (F-16)
 * @key: all fields of the frame
 *
 * Context: Any.
 * Return: true if it does.
 */
bool vmq_rule_matches(const struct vmq_rule *rule, const struct vmq_key *key)
{
	const u64 *value = vmq_key_words(&rule->key);
	const u64 *mask = vmq_key_words(&rule->mask);
	const u64 *frame = vmq_key_words(key);
	unsigned int i;

	for (i = 0; i < VMQ_KEY_WORDS; i++)
		if ((frame[i] & mask[i]) != value[i])
			return false;
	return true;
}

static struct vmq_tuples __rcu **vmq_rules_list(struct vmq_rules *rules,
						const struct vmq_key *mask)
{
	return vmq_mask_rank(mask) == VMQ_RANK_FIRST ? &rules->first :
						       &rules->rest;
}

/**
 * vmq_rules_init() - make an empty set of rules
 * @rules: not yet used, or destroyed
 *
 * Context: Process context. May sleep.
 * Return: 0 or -ENOMEM.
 */
int vmq_rules_init(struct vmq_rules *rules)
{
	memset(rules, 0, sizeof(*rules));
	rules->seed = get_random_u64();
	return vmq_exact_init(rules);
}

/**
 * vmq_rules_destroy() - free what vmq_rules_init() and later changes allocated
 * @rules: the rules; lookups that still run stay safe, new ones must not start
 *
 * The rules in it are the caller's, who frees them after this.
 *
 * Context: Process context. May sleep. Caller holds the lock for changes.
 */
void vmq_rules_destroy(struct vmq_rules *rules)
{
	vmq_exact_destroy(rules);
	vmq_tuples_destroy(rules);
}

/**
 * vmq_rules_add() - add a rule
 * @rules: the rules
 * @rule: the new one, in no other set; the caller frees it after
 *	vmq_rules_del() or vmq_rules_replace() and a grace period
 *
 * Context: Process context. May sleep. Caller holds the lock for changes.
 * Return: 0; -EEXIST if there is one with the same key and mask, whatever its
 * target (O-11); -EINVAL if the key has bits that the mask has not, or there is
 * no id or target; or -ENOMEM. After an error, nothing has changed.
 */
int vmq_rules_add(struct vmq_rules *rules, struct vmq_rule *rule)
{
	int err = vmq_rule_check(rule);

	if (err)
		return err;

	rule->rank = vmq_rule_rank(rule);
	if (vmq_mask_exact(&rule->mask)) {
		err = vmq_exact_add(rules, rule);
	} else {
		/* before the rule itself, or lookups would have no field for it */
		if (vmq_mask_ip(&rule->mask))
			WRITE_ONCE(rules->ip, rules->ip + 1);
		err = vmq_tuples_add(rules, vmq_rules_list(rules, &rule->mask),
				     rule);
		if (err && vmq_mask_ip(&rule->mask))
			WRITE_ONCE(rules->ip, rules->ip - 1);
	}
	if (!err)
		rules->count++;
	return err;
}

/**
 * vmq_rules_del() - remove a rule
 * @rules: the rules
 * @rule: one of them; lookups may use it until a grace period has passed
 *
 * Context: Process context. May sleep. Caller holds the lock for changes.
 */
void vmq_rules_del(struct vmq_rules *rules, struct vmq_rule *rule)
{
	if (vmq_mask_exact(&rule->mask)) {
		vmq_exact_del(rules, rule);
	} else {
		vmq_tuples_del(rules, vmq_rules_list(rules, &rule->mask), rule);
		if (vmq_mask_ip(&rule->mask))
			WRITE_ONCE(rules->ip, rules->ip - 1);
	}
	rules->count--;
}

/**
 * vmq_rules_replace() - put a rule in the place of another, without a gap (F-30)
 * @rules: the rules
 * @old: one of them; lookups may use it until a grace period has passed
 * @new: the new one; it may have the id of @old
 *
 * Where both test the same fields for the same values, a lookup sees either
 * @old or @new. Else it may see both for a moment, but never neither.
 *
 * Context: Process context. May sleep. Caller holds the lock for changes.
 * Return: 0, or as vmq_rules_add(), with @old in place as before.
 */
int vmq_rules_replace(struct vmq_rules *rules, struct vmq_rule *old,
		      struct vmq_rule *new)
{
	int err;

	if (!vmq_rule_same_match(old, new)) {
		err = vmq_rules_add(rules, new);
		if (err)
			return err;
		/*
		 * A lookup may have been where @new is before it was there, and
		 * come to where @old was only after it is gone. The count tells
		 * it to look again. Who sees the count sees @new.
		 */
		smp_store_release(&rules->moves, rules->moves + 1);
		/* Who misses @old sees the count: vmq_rules_moved(). */
		smp_wmb();
		vmq_rules_del(rules, old);
		return 0;
	}

	err = vmq_rule_check(new);
	if (err)
		return err;
	new->rank = vmq_rule_rank(new);
	if (!vmq_mask_exact(&new->mask))
		return vmq_tuples_set(rules, vmq_rules_list(rules, &new->mask),
				      old, new);
	vmq_exact_set(rules, new);
	return 0;
}

/**
 * vmq_rules_retarget() - gives a rule another target (F-30)
 * @rules: the rules
 * @rule: one of them
 * @target: as in struct vmq_rule
 *
 * One store and no memory: every lookup sees the old target or the new one.
 *
 * Context: Any. Caller holds the lock for changes.
 */
void vmq_rules_retarget(struct vmq_rules *rules, struct vmq_rule *rule,
			void *target)
{
	/* What the target points to was written before. */
	smp_store_release(&rule->target, target);
	if (vmq_mask_exact(&rule->mask))
		vmq_exact_set(rules, rule);
}

/**
 * vmq_rules_find() - the rule with exactly this key and mask
 * @rules: the rules
 * @key: the values
 * @mask: the bits that are tested
 *
 * Context: Process context. Caller holds the lock for changes.
 * Return: the rule, or NULL.
 */
const struct vmq_rule *vmq_rules_find(struct vmq_rules *rules,
				      const struct vmq_key *key,
				      const struct vmq_key *mask)
{
	if (!vmq_key_within(key, mask))
		return NULL;
	if (vmq_mask_exact(mask))
		return vmq_exact_find(rules, key, mask);
	return vmq_tuples_find(rules, vmq_rules_list(rules, mask), key, mask);
}

/**
 * vmq_rules_lookup_mac() - which target gets a frame? By MAC and VLAN id alone
 * @rules: the rules; not for those that vmq_rules_masked() is true for
 * @mac: destination MAC address, 6 bytes
 * @vid: VLAN id, 0 to 4095; 0 for an untagged or priority-tagged frame (F-22)
 *
 * Context: Any, in an RCU read-side section.
 * Return: the target, or NULL if no rule matches (F-15).
 */
void *vmq_rules_lookup_mac(const struct vmq_rules *rules, const u8 *mac,
			   u16 vid)
{
	const struct vmq_slot *slot;

	return vmq_exact_target_of(rules, mac, vid, &slot);
}

static void *vmq_rules_search(const struct vmq_rules *rules,
			      const struct vmq_key *key)
{
	const struct vmq_rule *rule = NULL;
	const struct vmq_tuples *tuples;
	const struct vmq_slot *slot;
	unsigned long hit;

	tuples = rcu_dereference(rules->first);
	if (tuples) {
		rule = vmq_tuples_lookup(tuples, rules->seed, key);
		if (rule)
			return READ_ONCE(rule->target);
	}

	hit = vmq_exact_lookup(rules, key->dst,
			       be16_to_cpu(key->vlan) & VLAN_VID_MASK, &slot);
	if (hit && !(hit & VMQ_EXACT_LAST))
		return (void *)hit;

	tuples = rcu_dereference(rules->rest);
	if (tuples)
		rule = vmq_tuples_lookup(tuples, rules->seed, key);
	if (rule && rule->rank == VMQ_RANK_REST)
		return READ_ONCE(rule->target);
	if (hit)
		return (void *)(hit & ~VMQ_EXACT_LAST);
	return rule ? READ_ONCE(rule->target) : NULL;
}

/**
 * vmq_rules_lookup() - which target gets a frame? (F-14, F-15, O-11)
 * @rules: the rules
 * @key: all fields of the frame
 *
 * Context: Any, in an RCU read-side section.
 * Return: the target of the rule that matches and comes first, or NULL.
 */
void *vmq_rules_lookup(const struct vmq_rules *rules,
		       const struct vmq_key *key)
{
	unsigned int moves;
	void *target;

	do {
		/* Pairs with the release in vmq_rules_replace(). */
		moves = smp_load_acquire(&rules->moves);
		target = vmq_rules_search(rules, key);
	} while (unlikely(vmq_rules_moved(rules, moves)));

	return target;
}
