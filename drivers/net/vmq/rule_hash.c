// SPDX-License-Identifier: GPL-2.0
/*
 * Changes to a table of rules with one mask; rule_hash.h has the lookup.
 *
 * A reader compares the whole rule that it finds, so a slot that was left behind
 * can be given to any other rule: the reader either takes it or goes on.
 */
#include <linux/log2.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "rule_hash.h"

#define VMQ_HASH_MIN	8	/* slots */

/* Slots must not cross a cache line, and their array starts one. */
static_assert(sizeof(struct vmq_hash_slot) == 16);
static_assert(offsetof(struct vmq_hash, slot) % 64 == 0);

static unsigned int vmq_hash_size(const struct vmq_hash *hash)
{
	return 1U << hash->bits;
}

/**
 * vmq_words_init() - looks up which words of a mask count
 * @words: filled
 * @mask: the mask
 *
 * Context: Any.
 */
void vmq_words_init(struct vmq_words *words, const struct vmq_key *mask)
{
	const u64 *word = vmq_key_words(mask);
	unsigned int i;

	words->n = 0;
	for (i = 0; i < VMQ_KEY_WORDS; i++) {
		if (!word[i])
			continue;
		words->at[words->n] = i;
		words->mask[words->n++] = word[i];
	}
}

static u64 vmq_hash_rule_tag(const struct vmq_words *words, u64 seed,
			     const struct vmq_rule *rule)
{
	const u64 *word = vmq_key_words(&rule->key);
	u64 masked[VMQ_KEY_WORDS];
	unsigned int i;

	for (i = 0; i < words->n; i++)
		masked[i] = word[words->at[i]];
	return vmq_hash_tag(words, seed, masked);
}

/* The slot of a rule that is in the table. */
static struct vmq_hash_slot *vmq_hash_slot(struct vmq_hash *hash,
					   const struct vmq_words *words,
					   u64 seed,
					   const struct vmq_rule *rule)
{
	u64 tag = vmq_hash_rule_tag(words, seed, rule);
	unsigned int i = vmq_hash_first(hash, tag);

	while (rcu_access_pointer(hash->slot[i].rule) != rule)
		i = (i + 1) & (vmq_hash_size(hash) - 1);
	return &hash->slot[i];
}

/* The first place that is free for a rule with this tag. */
static struct vmq_hash_slot *vmq_hash_free(struct vmq_hash *hash, u64 tag)
{
	unsigned int i = vmq_hash_first(hash, tag);

	while (rcu_access_pointer(hash->slot[i].rule))
		i = (i + 1) & (vmq_hash_size(hash) - 1);
	return &hash->slot[i];
}

/**
 * vmq_hash_alloc() - makes an empty table
 * @rules: how many rules there will be soon
 *
 * Context: Process context. May sleep.
 * Return: the table, or NULL without memory.
 */
struct vmq_hash *vmq_hash_alloc(unsigned int rules)
{
	/* a quarter full, so that it takes a while until the next one */
	unsigned int size = roundup_pow_of_two(4 * rules);
	struct vmq_hash *hash;

	size = max(size, VMQ_HASH_MIN);
	hash = kvzalloc(struct_size(hash, slot, size), GFP_KERNEL_ACCOUNT);
	if (hash)
		hash->bits = ilog2(size);
	return hash;
}

static int vmq_hash_rebuild(struct vmq_hash __rcu **table)
{
	/* the caller's lock excludes other changes */
	struct vmq_hash *old = rcu_dereference_protected(*table, 1);
	struct vmq_hash_slot *slot;
	struct vmq_hash *new;
	unsigned int i;

	new = vmq_hash_alloc(old->live + 1);
	if (!new)
		return -ENOMEM;
	for (i = 0; i < vmq_hash_size(old); i++) {
		if (!rcu_access_pointer(old->slot[i].rule))
			continue;
		slot = vmq_hash_free(new, old->slot[i].tag);
		*slot = old->slot[i];
	}
	new->used = old->live;
	new->live = old->live;
	rcu_assign_pointer(*table, new);
	kvfree_rcu(old, rcu);
	return 0;
}

/**
 * vmq_hash_reserve() - makes room for one more rule
 * @table: the table; another may take its place
 *
 * Context: Process context. May sleep. Caller holds the lock for changes.
 * Return: 0 or -ENOMEM.
 */
int vmq_hash_reserve(struct vmq_hash __rcu **table)
{
	struct vmq_hash *hash = rcu_dereference_protected(*table, 1);

	if (2 * (hash->used + 1) <= vmq_hash_size(hash))
		return 0;
	return vmq_hash_rebuild(table);
}

/**
 * vmq_hash_add() - adds a rule
 * @hash: the table, with room for it: vmq_hash_reserve()
 * @words: of the mask that its rules have
 * @seed: of its hash
 * @rule: the rule; none with the same key is in the table
 *
 * Context: Any. Caller holds the lock for changes.
 */
void vmq_hash_add(struct vmq_hash *hash, const struct vmq_words *words,
		  u64 seed, struct vmq_rule *rule)
{
	u64 tag = vmq_hash_rule_tag(words, seed, rule);
	struct vmq_hash_slot *slot = vmq_hash_free(hash, tag);

	if (!slot->tag)
		hash->used++;
	hash->live++;
	rcu_assign_pointer(slot->rule, rule);
	/* who sees the tag sees the rule: vmq_hash_find() */
	smp_store_release(&slot->tag, tag);
}

/**
 * vmq_hash_set() - puts a rule in the place of the one with the same key
 * @hash: the table
 * @words: of the mask that its rules have
 * @seed: of its hash
 * @old: the rule that is in the table
 * @rule: the new one
 *
 * One store: every lookup sees either the old rule or the new one (F-30).
 *
 * Context: Any. Caller holds the lock for changes.
 */
void vmq_hash_set(struct vmq_hash *hash, const struct vmq_words *words,
		  u64 seed, const struct vmq_rule *old, struct vmq_rule *rule)
{
	rcu_assign_pointer(vmq_hash_slot(hash, words, seed, old)->rule, rule);
}

/**
 * vmq_hash_del() - removes a rule
 * @table: the table; another may take its place
 * @words: of the mask that its rules have
 * @seed: of its hash
 * @rule: a rule that is in the table
 *
 * Context: Process context. May sleep. Caller holds the lock for changes.
 */
void vmq_hash_del(struct vmq_hash __rcu **table, const struct vmq_words *words,
		  u64 seed, const struct vmq_rule *rule)
{
	struct vmq_hash *hash = rcu_dereference_protected(*table, 1);

	RCU_INIT_POINTER(vmq_hash_slot(hash, words, seed, rule)->rule, NULL);
	hash->live--;
	/* the large table will do where there is no memory for a small one */
	if (vmq_hash_size(hash) > VMQ_HASH_MIN &&
	    16 * hash->live < vmq_hash_size(hash))
		vmq_hash_rebuild(table);
}
