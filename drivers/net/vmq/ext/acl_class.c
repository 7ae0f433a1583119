// SPDX-License-Identifier: GPL-2.0
/*
 * The extension acl: which of many rules decides a frame.
 *
 * Rules that test the same bits are a group. In a group the bits of a frame are
 * looked up in a hash table, so that its cost does not grow with its rules; the
 * group whose best rule comes first is asked first, and once a rule was found
 * groups that have only later ones are not asked at all.
 *
 * Rules that agree in all but ranges of ports share a node of the table. If they
 * are more than a few, the numbers of ports are cut where ranges begin and end,
 * and each piece has the rules that cover it up to the first that decides.
 *
 * Immutable and built in process context; frames see it under RCU. Nothing here
 * knows a port or a frame.
 */
#include <net/vmq.h>

#include "acl_class.h"

static bool acl_group_equal(const struct acl_group *group,
			    const struct acl_fields *fields,
			    const struct acl_fields *key)
{
	const u64 *word = acl_words(fields), *mask = acl_words(&group->mask);
	const u64 *want = acl_words(key);
	u64 diff = 0;
	unsigned int i, w;

	for (i = 0; i < group->n_words; i++) {
		w = group->word[i];
		diff |= (word[w] & mask[w]) ^ want[w];
	}

	return !diff;
}

static const struct acl_node *acl_group_find(const struct acl_class *class,
					     const struct acl_group *group,
					     const struct acl_fields *fields)
{
	const struct acl_node *node = &class->node[group->node];
	const u16 *table = &class->table[group->table];
	u32 slot;

	if (!group->size)
		return acl_group_equal(group, fields, &node->key) ? node : NULL;

	/* There are free slots: the table has room for twice the nodes. */
	for (slot = acl_group_hash(group, fields) & (group->size - 1);
	     table[slot]; slot = (slot + 1) & (group->size - 1))
		if (acl_group_equal(group, fields, &node[table[slot] - 1].key))
			return &node[table[slot] - 1];

	return NULL;
}

static bool acl_ports_fit(const struct acl_rule *rule,
			  const struct acl_fields *fields)
{
	if (rule->has_sport && (fields->sport < rule->sport_min ||
				fields->sport > rule->sport_max))
		return false;

	return !rule->has_dport || (fields->dport >= rule->dport_min &&
				    fields->dport <= rule->dport_max);
}

/* Position of the first rule of a node that fits, or ACL_RULES_MAX. */
static unsigned int acl_node_first(const struct acl_class *class,
				   const struct acl_node *node,
				   const struct acl_rule *rule,
				   const struct acl_fields *fields)
{
	const u16 *list = &class->list[node->list];
	unsigned int i, n = node->n;

	if (node->sure)
		return node->best;

	if (node->n_cuts) {
		u16 port = node->by_src ? fields->sport : fields->dport;
		const u16 *cut = &class->cut[node->cut];
		unsigned int low = 0, high = node->n_cuts;

		while (high - low > 1) {
			unsigned int mid = (low + high) / 2;

			if (cut[mid] <= port)
				low = mid;
			else
				high = mid;
		}
		list = &class->list[class->start[node->cut + low]];
		n = class->start[node->cut + low + 1] -
		    class->start[node->cut + low];
	}

	for (i = 0; i < n; i++)
		if (acl_ports_fit(&rule[list[i]], fields))
			return list[i];

	return ACL_RULES_MAX;
}

/**
 * acl_class_find - Find the rule that decides a frame.
 * @class: the rules of its direction and view
 * @rule: &acl_rules.rule
 * @fields: what the frame has
 *
 * Context: any; inside an RCU read-side section for rules that were published.
 * Return: the first rule that fits, or NULL.
 */
const struct acl_rule *acl_class_find(const struct acl_class *class,
				      const struct acl_rule *rule,
				      const struct acl_fields *fields)
{
	unsigned int i, at, best = ACL_RULES_MAX;
	const struct acl_node *node;

	for (i = 0; i < class->n_groups; i++) {
		const struct acl_group *group = &class->group[i];

		if (group->best >= best)
			break;
		node = acl_group_find(class, group, fields);
		if (!node || node->best >= best)
			continue;
		at = acl_node_first(class, node, rule, fields);
		best = min(best, at);
	}

	return best < ACL_RULES_MAX ? &rule[best] : NULL;
}

/**
 * acl_class_groups - Tell how many groups of rules there are.
 * @class: the rules, or NULL
 *
 * Return: how many lookups a frame may cost at most.
 */
unsigned int acl_class_groups(const struct acl_class *class)
{
	return class ? class->n_groups : 0;
}
