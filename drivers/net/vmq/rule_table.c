// SPDX-License-Identifier: GPL-2.0
/*
 * Changes to the table of exact rules; rule_table.h has the lookup.
 *
 * A slot's key is written once. Deleting a rule clears the target and leaves
 * the key, which only this same key uses again. So a reader needs no second
 * look at the key, and a change of target is one store (F-30). Slots that were
 * left behind are got rid of when the table is built anew, which happens after
 * a number of changes that is proportional to its size.
 */
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "rule_table.h"

#define VMQ_EXACT_MIN	16	/* slots */

/* Slots must not cross a cache line, and their array starts one. */
static_assert(sizeof(struct vmq_slot) == 32);
static_assert(offsetof(struct vmq_exact, slot) % 64 == 0);
/* Readers load the key at once. */
static_assert(sizeof(unsigned long) == sizeof(u64));

static struct vmq_exact *vmq_exact_table(const struct vmq_rules *rules)
{
	/* The caller's lock excludes other changes. */
	return rcu_dereference_protected(rules->exact, 1);
}

static unsigned int vmq_exact_size(const struct vmq_exact *exact)
{
	return 1U << exact->bits;
}

static u64 vmq_exact_key(const struct vmq_key *key, const struct vmq_key *mask)
{
	u64 k = vmq_exact_mac(key->dst);

	if (!mask->vlan)
		return k | VMQ_EXACT_ANY | VMQ_EXACT_VALID;
	return k | vmq_exact_vid(be16_to_cpu(key->vlan));
}

static struct vmq_exact *vmq_exact_alloc(unsigned int size)
{
	struct vmq_exact *exact;
	size_t bytes;

	/*
	 * kmalloc() aligns to the largest power of two that divides the size,
	 * which is 64 or more for 16 slots and more.
	 */
	bytes = size_add(struct_size(exact, slot, size),
			 array_size(size, sizeof(*exact->rule)));
	exact = kvzalloc(bytes, GFP_KERNEL_ACCOUNT);
	if (!exact)
		return NULL;
	exact->bits = ilog2(size);
	exact->rule = (struct vmq_rule **)&exact->slot[size];
	return exact;
}

/* The slot with @key, or the free one where it belongs. */
static unsigned int vmq_exact_slot(const struct vmq_exact *exact, u64 seed,
				   u64 key)
{
	unsigned int mask = vmq_exact_size(exact) - 1;
	unsigned int i = vmq_exact_hash(exact, seed, key);

	while (exact->slot[i].key && exact->slot[i].key != key)
		i = (i + 1) & mask;
	return i;
}

static unsigned long vmq_exact_target(const struct vmq_rule *rule)
{
	return (unsigned long)rule->target | (rule->last ? VMQ_EXACT_LAST : 0);
}

static void vmq_exact_near(struct vmq_slot *slot, const struct vmq_rule *rule)
{
	WRITE_ONCE(slot->near, rule->near);
	WRITE_ONCE(slot->near_cpu, rule->near_cpu);
}

/* Makes a table of the size that the rules and one more call for. */
static int vmq_exact_rebuild(struct vmq_rules *rules)
{
	struct vmq_exact *old = vmq_exact_table(rules);
	unsigned int i, to, size;
	struct vmq_exact *new;

	/* Half full at most, so that it takes a while until the next time. */
	size = roundup_pow_of_two(2 * (old->live + 1));
	new = vmq_exact_alloc(max(size, VMQ_EXACT_MIN));
	if (!new)
		return -ENOMEM;

	for (i = 0; i < vmq_exact_size(old); i++) {
		if (!old->rule[i])
			continue;
		to = vmq_exact_slot(new, rules->seed, old->slot[i].key);
		new->slot[to] = old->slot[i];
		new->rule[to] = old->rule[i];
	}
	new->used = old->live;
	new->live = old->live;

	rcu_assign_pointer(rules->exact, new);
	kvfree_rcu(old, rcu);
	return 0;
}

/**
 * vmq_exact_init() - make an empty table
 * @rules: the rules that it belongs to, with their seed
 *
 * Context: Process context. May sleep.
 * Return: 0 or -ENOMEM.
 */
int vmq_exact_init(struct vmq_rules *rules)
{
	struct vmq_exact *exact = vmq_exact_alloc(VMQ_EXACT_MIN);

	if (!exact)
		return -ENOMEM;
	RCU_INIT_POINTER(rules->exact, exact);
	return 0;
}

/**
 * vmq_exact_destroy() - free the table
 * @rules: the rules that it belongs to; lookups that still run stay safe, new
 *	ones must not start
 *
 * Context: Any. Caller holds the lock for changes.
 */
void vmq_exact_destroy(struct vmq_rules *rules)
{
	struct vmq_exact *exact = vmq_exact_table(rules);

	kvfree_rcu(exact, rcu);
}

/**
 * vmq_exact_add() - add a rule for a MAC address and one VLAN id or any (F-22)
 * @rules: the rules
 * @rule: a rule that tests the whole destination MAC address and either the
 *	whole VLAN id or nothing of the tag
 *
 * Context: Process context. May sleep. Caller holds the lock for changes.
 * Return: 0, -EEXIST where there is one for the same frames (O-11), or -ENOMEM.
 */
int vmq_exact_add(struct vmq_rules *rules, struct vmq_rule *rule)
{
	struct vmq_exact *exact = vmq_exact_table(rules);
	u64 key = vmq_exact_key(&rule->key, &rule->mask);
	struct vmq_slot *slot;
	unsigned int i;
	int err;

	i = vmq_exact_slot(exact, rules->seed, key);
	if (exact->rule[i])
		return -EEXIST;

	if (!exact->slot[i].key &&
	    4 * (exact->used + 1) > 3 * vmq_exact_size(exact)) {
		err = vmq_exact_rebuild(rules);
		if (err)
			return err;
		exact = vmq_exact_table(rules);
		i = vmq_exact_slot(exact, rules->seed, key);
	}

	/* Before the rule itself, or lookups would pass it over. */
	if (key & VMQ_EXACT_ANY)
		WRITE_ONCE(rules->any_vlan, rules->any_vlan + 1);

	slot = &exact->slot[i];
	exact->rule[i] = rule;
	exact->live++;
	vmq_exact_near(slot, rule);
	/* What the target points to was written before. */
	smp_store_release(&slot->target, vmq_exact_target(rule));
	if (!slot->key) {
		exact->used++;
		/* Who sees the key sees the target: vmq_exact_get(). */
		smp_store_release(&slot->key, key);
	}
	return 0;
}

/**
 * vmq_exact_set() - put a rule in the place of the one for the same frames
 * @rules: the rules
 * @rule: the new rule; the table has one with the same key and mask
 *
 * One store: every lookup sees either the old rule or the new one (F-30).
 *
 * Context: Any. Caller holds the lock for changes.
 */
void vmq_exact_set(struct vmq_rules *rules, struct vmq_rule *rule)
{
	struct vmq_exact *exact = vmq_exact_table(rules);
	unsigned int i;

	i = vmq_exact_slot(exact, rules->seed,
			   vmq_exact_key(&rule->key, &rule->mask));
	exact->rule[i] = rule;
	vmq_exact_near(&exact->slot[i], rule);
	/* What the target points to was written before. */
	smp_store_release(&exact->slot[i].target, vmq_exact_target(rule));
}

/**
 * vmq_exact_del() - remove a rule
 * @rules: the rules
 * @rule: a rule that is in the table
 *
 * Context: Process context. May sleep. Caller holds the lock for changes.
 */
void vmq_exact_del(struct vmq_rules *rules, const struct vmq_rule *rule)
{
	struct vmq_exact *exact = vmq_exact_table(rules);
	u64 key = vmq_exact_key(&rule->key, &rule->mask);
	unsigned int i;

	i = vmq_exact_slot(exact, rules->seed, key);
	WRITE_ONCE(exact->slot[i].target, 0);
	exact->rule[i] = NULL;
	exact->live--;
	if (key & VMQ_EXACT_ANY)
		WRITE_ONCE(rules->any_vlan, rules->any_vlan - 1);

	/* The large table will do where there is no memory for a small one. */
	if (vmq_exact_size(exact) > VMQ_EXACT_MIN &&
	    8 * exact->live < vmq_exact_size(exact))
		vmq_exact_rebuild(rules);
}

/**
 * vmq_exact_find() - the rule with this key and mask
 * @rules: the rules
 * @key: whole destination MAC address, with the VLAN id where @mask tests it
 * @mask: of a rule that belongs in the table
 *
 * Context: Any. Caller holds the lock for changes.
 * Return: the rule, or NULL.
 */
struct vmq_rule *vmq_exact_find(const struct vmq_rules *rules,
				const struct vmq_key *key,
				const struct vmq_key *mask)
{
	const struct vmq_exact *exact = vmq_exact_table(rules);

	return exact->rule[vmq_exact_slot(exact, rules->seed,
					  vmq_exact_key(key, mask))];
}
