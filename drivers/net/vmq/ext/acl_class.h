/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The extension acl: compiled rules, as acl_class_build.c makes them and acl_class.c
 * looks them up.
 */
#ifndef _VMQ_ACL_CLASS_H
#define _VMQ_ACL_CLASS_H

#include <linux/build_bug.h>

#include "acl_rule.h"

static_assert(sizeof(struct acl_fields) == 64);

/**
 * struct acl_node - rules that differ in ranges of ports only
 * @key: what a frame must have in the bits of the group
 * @best: position of the first rule
 * @list: where its rules are in &acl_class.list
 * @n: number of rules there, those of one piece if there are pieces
 * @cut: where its pieces are in &acl_class.cut and start
 * @n_cuts: number of pieces, 0 for none
 * @by_src: it is source ports that are cut
 * @sure: the first rule fits without a look at ports
 */
struct acl_node {
	struct acl_fields key;
	u32 list;
	u32 cut;
	u16 best;
	u16 n;
	u16 n_cuts;
	bool by_src;
	bool sure;
};

/**
 * struct acl_group - rules that test the same bits
 * @mask: the bits
 * @word: the words of @mask that are not 0
 * @n_words: number of them
 * @best: position of the first rule
 * @node: where its nodes are
 * @n_nodes: number of nodes
 * @table: where its hash table is
 * @size: slots of the table, 0 for a single node
 */
struct acl_group {
	struct acl_fields mask;
	u8 word[ACL_FIELD_WORDS];
	u8 n_words;
	u16 best;
	u16 n_nodes;
	u32 node;
	u32 table;
	u32 size;
};

/**
 * struct acl_class - the rules of one direction and view
 * @n_groups: number of groups
 * @group: the groups, by their best rules
 * @node: nodes of all groups, one group after the other
 * @table: slots of all tables: number of a node within its group plus 1, or 0
 * @cut: lowest ports of pieces
 * @start: where in @list the rules of a piece begin; one more at the end
 * @list: positions of rules
 */
struct acl_class {
	unsigned int n_groups;
	struct acl_group *group;
	struct acl_node *node;
	u16 *table;
	u16 *cut;
	u32 *start;
	u16 *list;
};

static inline const u64 *acl_words(const struct acl_fields *fields)
{
	return (const u64 *)fields;
}

/* Keys are the administrator's: nobody else can make chains long. */
static inline u32 acl_group_hash(const struct acl_group *group,
				 const struct acl_fields *fields)
{
	const u64 *word = acl_words(fields), *mask = acl_words(&group->mask);
	u64 hash = 0;
	unsigned int i, w;

	for (i = 0; i < group->n_words; i++) {
		w = group->word[i];
		hash = (hash ^ (word[w] & mask[w])) * 0x9e3779b97f4a7c15ULL;
		hash ^= hash >> 32;
	}

	return hash;
}

#endif /* _VMQ_ACL_CLASS_H */
