/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The rules that have the same mask, by the bits that it tests. A frame looks in
 * one such table for each mask in use, mostly in vain, so a look costs a few
 * multiplications and one cache line.
 */
#ifndef _VMQ_RULE_HASH_H
#define _VMQ_RULE_HASH_H

#include <linux/hash.h>

#include "rule.h"

/**
 * struct vmq_words - the words of a mask that are not 0
 * @n: how many there are
 * @at: which ones of struct vmq_key
 * @mask: their bits
 */
struct vmq_words {
	u8 n;
	u8 at[VMQ_KEY_WORDS];
	u64 mask[VMQ_KEY_WORDS];
};

/**
 * struct vmq_hash_slot - one place in the table
 * @tag: hash of the rule's key, 0 where the slot was never used. A deleted rule
 *	leaves it, so that searches go on behind.
 * @rule: NULL where it was deleted
 */
struct vmq_hash_slot {
	u64 tag;
	struct vmq_rule __rcu *rule;
} __aligned(16);

/**
 * struct vmq_hash - open-addressed table, searched linearly
 * @bits: it has 2^@bits slots
 * @used: slots with a tag, at most half of all
 * @live: slots with a rule
 * @rcu: for the grace period before it is freed
 * @slot: the slots
 */
struct vmq_hash {
	unsigned int bits;
	unsigned int used;
	unsigned int live;
	struct rcu_head rcu;
	struct vmq_hash_slot slot[] __aligned(64);
};

struct vmq_hash *vmq_hash_alloc(unsigned int rules);
int vmq_hash_reserve(struct vmq_hash __rcu **table);
void vmq_hash_add(struct vmq_hash *hash, const struct vmq_words *words,
		  u64 seed, struct vmq_rule *rule);
void vmq_hash_del(struct vmq_hash __rcu **table, const struct vmq_words *words,
		  u64 seed, const struct vmq_rule *rule);
void vmq_hash_set(struct vmq_hash *hash, const struct vmq_words *words,
		  u64 seed, const struct vmq_rule *old, struct vmq_rule *rule);
void vmq_words_init(struct vmq_words *words, const struct vmq_key *mask);

/*
 * Each word with a factor of its own, so that equal words do not cancel out. The
 * factors are from the digits of pi; the seed is each adapter's own.
 */
static __always_inline u64 vmq_hash_tag(const struct vmq_words *words,
					u64 seed, const u64 *masked)
{
	static const u64 factor[VMQ_KEY_WORDS] = {
		0x243f6a8885a308d3, 0x13198a2e03707345, 0xa4093822299f31d1,
		0x082efa98ec4e6c89, 0x452821e638d01377, 0xbe5466cf34e90c6d,
		0xc0ac29b7c97c50dd,
	};
	u64 sum = seed;
	unsigned int i;

	for (i = 0; i < words->n; i++) {
		/* none waits for the one before it */
		u64 product = (masked[i] ^ seed) * factor[words->at[i]];

		/* the low bits of a product know nothing of the high ones */
		sum += product ^ product >> 32;
	}
	return sum * GOLDEN_RATIO_64 | 1;
}

static __always_inline unsigned int vmq_hash_first(const struct vmq_hash *hash, u64 tag)
{
	return tag >> (64 - hash->bits);
}

static __always_inline bool vmq_words_equal(const struct vmq_words *words,
					    const u64 *masked,
					    const struct vmq_key *key)
{
	const u64 *word = vmq_key_words(key);
	u64 differ = 0;
	unsigned int i;

	for (i = 0; i < words->n; i++)
		differ |= masked[i] ^ word[words->at[i]];
	return !differ;
}

/**
 * vmq_hash_find() - the rule that matches a frame or has a key
 * @hash: the table
 * @words: of the mask that its rules have
 * @seed: of its hash
 * @key: of the frame; bits that the mask does not test do not count
 *
 * Context: RCU read side, or the lock for changes held.
 * Return: the rule or NULL.
 */
static __always_inline struct vmq_rule *
vmq_hash_find(const struct vmq_hash *hash, const struct vmq_words *words,
	      u64 seed, const struct vmq_key *key)
{
	const u64 *word = vmq_key_words(key);
	u64 masked[VMQ_KEY_WORDS], tag, found;
	struct vmq_rule *rule;
	unsigned int i;

	for (i = 0; i < words->n; i++)
		masked[i] = word[words->at[i]] & words->mask[i];
	tag = vmq_hash_tag(words, seed, masked);
	for (i = vmq_hash_first(hash, tag);; i++) {
		i &= (1U << hash->bits) - 1;
		/* who sees the tag sees the rule: vmq_hash_add() */
		found = smp_load_acquire(&hash->slot[i].tag);
		if (!found)
			return NULL;
		if (found != tag)
			continue;
		rule = rcu_dereference_check(hash->slot[i].rule, true);
		if (rule && vmq_words_equal(words, masked, &rule->key))
			return rule;
	}
}

#endif /* _VMQ_RULE_HASH_H */
