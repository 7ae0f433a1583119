// SPDX-License-Identifier: GPL-2.0
/*
 * Tuple space search. A tuple is a hash table of the rules that have the same
 * mask; a lookup costs one probe for every tuple, up to the first that cannot
 * have a better rule than was found already.
 *
 * Lookups see the tuples through a list that never changes, only the next one
 * takes its place. What it says of a tuple may be better than its best rule,
 * which only makes the search longer, but never worse.
 *
 * A tuple that has lost its last rule leaves the list, and is freed after a grace
 * period.
 */
#include <linux/overflow.h>
#include <linux/rbtree.h>
#include <linux/slab.h>

#include "rule_hash.h"
#include "rule_tuple.h"

/**
 * struct vmq_tuple - the rules with one mask
 * @table: by key
 * @common: value that all rules have in word @common_at of their key, in the bits of
 * @common_mask: which only get fewer: a lookup that reads it while a rule is added
 *	is one from before that
 * @common_at: the word: the last that the mask tests, where the kind of frame is
 * @words: what the mask tests
 * @mask: the mask
 * @order: by rank and id, for changes only
 * @rcu: for the grace period before it is freed
 */
struct vmq_tuple {
	struct vmq_hash __rcu *table;
	u64 common;
	u64 common_mask;
	unsigned int common_at;
	struct vmq_words words;
	struct vmq_key mask;
	struct rb_root_cached order;
	struct rcu_head rcu;
};

struct vmq_tuple_ref {
	u64 prio;		/* no rule of the tuple comes before this */
	struct vmq_tuple *tuple;
};

/**
 * struct vmq_tuples - list of tuples
 * @rcu: for the grace period before it is freed
 * @n: number of tuples
 * @ref: the tuples, by @prio
 */
struct vmq_tuples {
	struct rcu_head rcu;
	unsigned int n;
	struct vmq_tuple_ref ref[] __counted_by(n);
};

/* Order of rules: by rank, then id (O-11). Lower wins. */
static u64 vmq_rule_prio(const struct vmq_rule *rule)
{
	return (u64)rule->rank << 32 | rule->id;
}

static struct vmq_rule *vmq_node_rule(const struct rb_node *node)
{
	return rb_entry(node, struct vmq_rule, order);
}

static bool vmq_rule_less(struct rb_node *a, const struct rb_node *b)
{
	return vmq_rule_prio(vmq_node_rule(a)) <
	       vmq_rule_prio(vmq_node_rule(b));
}

static bool vmq_tuple_empty(const struct vmq_tuple *tuple)
{
	return !rb_first_cached(&tuple->order);
}

/* That of the best rule, or worse than any where there is none. */
static u64 vmq_tuple_prio(const struct vmq_tuple *tuple)
{
	const struct rb_node *node = rb_first_cached(&tuple->order);

	return node ? vmq_rule_prio(vmq_node_rule(node)) : U64_MAX;
}

static struct vmq_hash *vmq_tuple_table(const struct vmq_tuple *tuple)
{
	/* The caller's lock excludes other changes. */
	return rcu_dereference_protected(tuple->table, 1);
}

/* What the first rule of a tuple says of its frames, and the next ones too. */
static void vmq_tuple_common(struct vmq_tuple *tuple, bool first,
			     const struct vmq_key *key)
{
	u64 word = vmq_key_words(key)[tuple->common_at];

	if (first)
		tuple->common = word;
	WRITE_ONCE(tuple->common_mask,
		   tuple->common_mask & ~(word ^ tuple->common));
}

/* May a frame be for a rule of the tuple? Spares most of them the hash. */
static bool vmq_tuple_may(const struct vmq_tuple *tuple,
			  const struct vmq_key *key)
{
	return !((vmq_key_words(key)[tuple->common_at] ^ tuple->common) &
		 READ_ONCE(tuple->common_mask));
}

/* A tuple for a mask that has none. */
static struct vmq_tuple *vmq_tuple_make(const struct vmq_key *mask)
{
	struct vmq_tuple *tuple = kzalloc(sizeof(*tuple), GFP_KERNEL_ACCOUNT);
	struct vmq_hash *hash;

	if (!tuple)
		return NULL;
	hash = vmq_hash_alloc(1);
	if (!hash) {
		kfree(tuple);
		return NULL;
	}
	RCU_INIT_POINTER(tuple->table, hash);
	tuple->mask = *mask;
	vmq_words_init(&tuple->words, mask);
	if (tuple->words.n) {
		tuple->common_at = tuple->words.at[tuple->words.n - 1];
		tuple->common_mask = tuple->words.mask[tuple->words.n - 1];
	}
	tuple->order = RB_ROOT_CACHED;
	return tuple;
}

/* For one that lookups can't find any more, but may still be in. */
static void vmq_tuple_free(struct vmq_tuple *tuple)
{
	kvfree_rcu(vmq_tuple_table(tuple), rcu);
	kfree_rcu(tuple, rcu);
}

static struct vmq_tuples *vmq_tuples_get(struct vmq_tuples __rcu **list)
{
	/* The caller's lock excludes other changes. */
	return rcu_dereference_protected(*list, 1);
}

static struct vmq_tuple *vmq_tuples_tuple(struct vmq_tuples __rcu **list,
					  const struct vmq_key *mask)
{
	const struct vmq_tuples *tuples = vmq_tuples_get(list);
	unsigned int i;

	for (i = 0; tuples && i < tuples->n; i++)
		if (vmq_key_equal(&tuples->ref[i].tuple->mask, mask))
			return tuples->ref[i].tuple;
	return NULL;
}

static void vmq_tuples_insert(struct vmq_tuples *tuples,
			      struct vmq_tuple *tuple, u64 prio)
{
	unsigned int i = tuples->n++;

	for (; i && tuples->ref[i - 1].prio > prio; i--)
		tuples->ref[i] = tuples->ref[i - 1];
	tuples->ref[i].prio = prio;
	tuples->ref[i].tuple = tuple;
}

/* The next list: all but empty tuples, and @tuple, if any, as if at @prio. */
static struct vmq_tuples *vmq_tuples_build(struct vmq_tuples __rcu **list,
					   struct vmq_tuple *tuple, u64 prio)
{
	const struct vmq_tuples *old = vmq_tuples_get(list);
	struct vmq_tuples *new;
	struct vmq_tuple *t;
	unsigned int i;

	new = kvzalloc(struct_size(new, ref, (old ? old->n : 0) + 1),
		       GFP_KERNEL);
	if (!new)
		return NULL;

	for (i = 0; old && i < old->n; i++) {
		t = old->ref[i].tuple;
		if (t != tuple && !vmq_tuple_empty(t))
			vmq_tuples_insert(new, t, vmq_tuple_prio(t));
	}
	if (tuple)
		vmq_tuples_insert(new, tuple, prio);
	return new;
}

/* Lets lookups see @new, NULL or just built, in place of the old list. */
static void vmq_tuples_publish(struct vmq_tuples __rcu **list,
			       struct vmq_tuples *new)
{
	struct vmq_tuples *old = vmq_tuples_get(list);
	struct vmq_tuple *tuple;
	unsigned int i;

	rcu_assign_pointer(*list, new);
	for (i = 0; old && i < old->n; i++) {
		tuple = old->ref[i].tuple;
		if (vmq_tuple_empty(tuple))
			vmq_tuple_free(tuple);
	}
	kvfree_rcu(old, rcu);
}

/* After a tuple has lost its best rule. */
static void vmq_tuples_tighten(struct vmq_tuples __rcu **list)
{
	const struct vmq_tuples *old = vmq_tuples_get(list);
	struct vmq_tuples *new = NULL;
	unsigned int i;

	for (i = 0; i < old->n && vmq_tuple_empty(old->ref[i].tuple); i++)
		;
	if (i < old->n) {
		new = vmq_tuples_build(list, NULL, 0);
		/* The old list is right too, only longer to search. */
		if (!new)
			return;
	}
	vmq_tuples_publish(list, new);
}

static void vmq_tuples_free(struct vmq_tuples __rcu **list)
{
	struct vmq_tuples *tuples = vmq_tuples_get(list);
	unsigned int i;

	RCU_INIT_POINTER(*list, NULL);
	for (i = 0; tuples && i < tuples->n; i++)
		vmq_tuple_free(tuples->ref[i].tuple);
	kvfree_rcu(tuples, rcu);
}

/**
 * vmq_tuples_destroy() - free all tuples
 * @rules: the rules; lookups that still run stay safe, new ones must not start
 *
 * Context: Process context. Caller holds the lock for changes.
 */
void vmq_tuples_destroy(struct vmq_rules *rules)
{
	vmq_tuples_free(&rules->first);
	vmq_tuples_free(&rules->rest);
}

/**
 * vmq_tuples_add() - add a rule
 * @rules: the rules
 * @list: their list that takes it
 * @rule: the rule, with its rank
 *
 * Context: Process context. May sleep. Caller holds the lock for changes.
 * Return: 0; -EEXIST where there is one with the same key and mask (O-11); or
 * -ENOMEM. After an error, nothing has changed.
 */
int vmq_tuples_add(struct vmq_rules *rules, struct vmq_tuples __rcu **list,
		   struct vmq_rule *rule)
{
	struct vmq_tuple *tuple = vmq_tuples_tuple(list, &rule->mask);
	u64 prio = vmq_rule_prio(rule);
	struct vmq_tuples *new = NULL;
	bool fresh = !tuple;
	int err = -ENOMEM;

	if (fresh) {
		tuple = vmq_tuple_make(&rule->mask);
		if (!tuple)
			return -ENOMEM;
	} else if (vmq_hash_find(vmq_tuple_table(tuple), &tuple->words,
				 rules->seed, &rule->key)) {
		return -EEXIST;
	}

	/* What can fail comes before lookups see anything of it. */
	if (vmq_hash_reserve(&tuple->table))
		goto err_tuple;
	if (prio < vmq_tuple_prio(tuple)) {
		new = vmq_tuples_build(list, tuple, prio);
		if (!new)
			goto err_tuple;
	}
	/* before anybody can see the rule */
	vmq_tuple_common(tuple, fresh, &rule->key);
	vmq_hash_add(vmq_tuple_table(tuple), &tuple->words, rules->seed, rule);
	rb_add_cached(&rule->order, &tuple->order, vmq_rule_less);
	if (new)
		vmq_tuples_publish(list, new);
	return 0;

err_tuple:
	if (fresh)
		vmq_tuple_free(tuple);
	return err;
}

/**
 * vmq_tuples_del() - remove a rule
 * @rules: the rules
 * @list: their list that has it
 * @rule: the rule; lookups may use it until a grace period has passed
 *
 * Context: Process context. May sleep. Caller holds the lock for changes.
 */
void vmq_tuples_del(struct vmq_rules *rules, struct vmq_tuples __rcu **list,
		    struct vmq_rule *rule)
{
	struct vmq_tuple *tuple = vmq_tuples_tuple(list, &rule->mask);

	vmq_hash_del(&tuple->table, &tuple->words, rules->seed, rule);
	if (rb_erase_cached(&rule->order, &tuple->order) ||
	    vmq_tuple_empty(tuple))
		vmq_tuples_tighten(list);
}

/**
 * vmq_tuples_set() - put a rule in the place of the one for the same frames
 * @rules: the rules
 * @list: their list that has it
 * @old: the old rule; lookups may use it until a grace period has passed
 * @rule: the new one, with its rank; key and mask are those of @old
 *
 * One store: every lookup sees either the old rule or the new one (F-30).
 *
 * Context: Process context. May sleep. Caller holds the lock for changes.
 * Return: 0, or -ENOMEM with @old in place as before.
 */
int vmq_tuples_set(struct vmq_rules *rules, struct vmq_tuples __rcu **list,
		   struct vmq_rule *old, struct vmq_rule *rule)
{
	struct vmq_tuple *tuple = vmq_tuples_tuple(list, &rule->mask);
	u64 best = vmq_tuple_prio(tuple);
	struct vmq_tuples *new;

	/* The list may say better of the tuple than it is, but never worse. */
	if (vmq_rule_prio(rule) < best) {
		new = vmq_tuples_build(list, tuple, vmq_rule_prio(rule));
		if (!new)
			return -ENOMEM;
		vmq_tuples_publish(list, new);
	}
	vmq_hash_set(vmq_tuple_table(tuple), &tuple->words, rules->seed, old,
		     rule);
	rb_erase_cached(&old->order, &tuple->order);
	rb_add_cached(&rule->order, &tuple->order, vmq_rule_less);
	if (vmq_tuple_prio(tuple) > best)
		vmq_tuples_tighten(list);
	return 0;
}

/**
 * vmq_tuples_find() - the rule with exactly this key and mask
 * @rules: the rules
 * @list: the list to search
 * @key: the values
 * @mask: the bits that are tested
 *
 * Context: Any. Caller holds the lock for changes.
 * Return: the rule, or NULL.
 */
struct vmq_rule *vmq_tuples_find(const struct vmq_rules *rules,
				 struct vmq_tuples __rcu **list,
				 const struct vmq_key *key,
				 const struct vmq_key *mask)
{
	struct vmq_tuple *tuple = vmq_tuples_tuple(list, mask);

	if (!tuple)
		return NULL;
	return vmq_hash_find(vmq_tuple_table(tuple), &tuple->words, rules->seed,
			     key);
}

/**
 * vmq_tuples_lookup() - the best rule for a frame (F-15)
 * @tuples: the list to search
 * @seed: of the rules
 * @key: all fields of the frame
 *
 * Context: Any, in an RCU read-side section.
 * Return: the rule of the lowest rank, and of those of the lowest id, that
 * matches, or NULL.
 */
const struct vmq_rule *vmq_tuples_lookup(const struct vmq_tuples *tuples,
					 u64 seed, const struct vmq_key *key)
{
	const struct vmq_rule *rule, *best = NULL;
	const struct vmq_tuple *tuple;
	u64 prio = U64_MAX;
	unsigned int i;

	for (i = 0; i < tuples->n && tuples->ref[i].prio < prio; i++) {
		tuple = tuples->ref[i].tuple;
		if (!vmq_tuple_may(tuple, key))
			continue;
		rule = vmq_hash_find(rcu_dereference(tuple->table),
				     &tuple->words, seed, key);
		if (rule && vmq_rule_prio(rule) < prio) {
			prio = vmq_rule_prio(rule);
			best = rule;
		}
	}
	return best;
}
