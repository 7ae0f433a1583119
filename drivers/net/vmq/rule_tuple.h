/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The part of the rule engine that takes any mask: one hash table for each mask
 * in use.
 */
#ifndef _VMQ_RULE_TUPLE_H
#define _VMQ_RULE_TUPLE_H

#include "rule.h"

void vmq_tuples_destroy(struct vmq_rules *rules);
int vmq_tuples_add(struct vmq_rules *rules, struct vmq_tuples __rcu **list,
		   struct vmq_rule *rule);
void vmq_tuples_del(struct vmq_rules *rules, struct vmq_tuples __rcu **list,
		    struct vmq_rule *rule);
int vmq_tuples_set(struct vmq_rules *rules, struct vmq_tuples __rcu **list,
		   struct vmq_rule *old, struct vmq_rule *rule);
struct vmq_rule *vmq_tuples_find(const struct vmq_rules *rules,
				 struct vmq_tuples __rcu **list,
				 const struct vmq_key *key,
				 const struct vmq_key *mask);
const struct vmq_rule *vmq_tuples_lookup(const struct vmq_tuples *tuples,
					 u64 seed, const struct vmq_key *key);

#endif /* _VMQ_RULE_TUPLE_H */
