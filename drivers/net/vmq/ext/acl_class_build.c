// SPDX-License-Identifier: GPL-2.0
/*
 * The extension acl: compiles rules, see acl_class.c. In process context, with
 * memory that is used for one class after the other.
 */
#include <linux/jhash.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <net/vmq.h>

#include "acl_class.h"

/* Rules of a node that are looked at one after the other. */
#define ACL_CLASS_FEW		4

/* For how many times the rules pieces of the ports may have room. */
#define ACL_CLASS_SPREAD	16

/* A rule as one view sees it. */
struct acl_seen {
	struct acl_fields key;
	struct acl_fields mask;
	u16 at;			/* its position */
	u16 group;
	u16 node;		/* within all nodes, in the order of their making */
	u16 next;		/* of its node, plus 1 */
	bool ranged;		/* it has to be asked about ports */
};

/* A node being built. */
struct acl_raw {
	u16 group;
	u16 first;		/* &acl_seen, and the last of them */
	u16 last;
	u16 n;
	u16 number;		/* within its group */
	bool done;		/* whatever comes after is never asked */
};

/**
 * struct acl_class_work - memory to build classes in
 * @slots: slots of @slot
 * @seen: rules
 * @raw: nodes
 * @slot: hash table of masks, then of nodes: number plus 1
 * @n_cuts: used of @class.cut and, with one more for each node, of start
 * @n_start: used of start
 * @n_list: used of list
 * @n_table: used of table
 * @n_nodes: used of node
 * @class: arrays of the largest size that is needed
 */
struct acl_class_work {
	unsigned int slots;
	struct acl_seen *seen;
	struct acl_raw *raw;
	u16 *slot;
	unsigned int n_cuts;
	unsigned int n_start;
	unsigned int n_list;
	unsigned int n_table;
	unsigned int n_nodes;
	struct acl_class class;
};

/* Whether a rule tests what is behind the IP header. */
static bool acl_rule_tests_l4(const struct acl_rule *rule)
{
	return rule->has_sport || rule->has_dport || rule->mask.icmp_type ||
	       rule->mask.icmp_code || rule->mask.tcp;
}

/* Returns false for a rule that never fits what is seen like that. */
static bool acl_see(struct acl_seen *seen, const struct acl_rule *rule,
		    enum acl_view view)
{
	bool blind = acl_rule_tests_l4(rule) ||
		     (view == ACL_VIEW_NO_PROTO && rule->mask.proto);

	seen->key = rule->key;
	seen->mask = rule->mask;
	seen->ranged = (rule->has_sport && !rule->mask.sport) ||
		       (rule->has_dport && !rule->mask.dport);
	seen->next = 0;
	if (view == ACL_VIEW_WHOLE || !blind)
		return true;
	if (rule->allow)
		return false;

	seen->ranged = false;
	seen->mask.sport = 0;
	seen->mask.dport = 0;
	seen->mask.icmp_type = 0;
	seen->mask.icmp_code = 0;
	seen->mask.tcp = 0;
	seen->key.sport = 0;
	seen->key.dport = 0;
	seen->key.icmp_type = 0;
	seen->key.icmp_code = 0;
	seen->key.tcp = 0;
	if (view == ACL_VIEW_NO_PROTO) {
		seen->mask.proto = 0;
		seen->key.proto = 0;
	}

	return true;
}

static bool acl_fields_equal(const struct acl_fields *a,
			     const struct acl_fields *b)
{
	return !memcmp(a, b, sizeof(*a));
}

static u16 acl_build_group(struct acl_class_work *work, struct acl_seen *seen)
{
	struct acl_class *class = &work->class;
	u32 i = jhash2((u32 *)&seen->mask, sizeof(seen->mask) / sizeof(u32), 0);
	struct acl_group *group;
	unsigned int w;

	for (i &= work->slots - 1; work->slot[i]; i = (i + 1) & (work->slots - 1))
		if (acl_fields_equal(&class->group[work->slot[i] - 1].mask,
				     &seen->mask))
			return work->slot[i] - 1;

	group = &class->group[class->n_groups];
	memset(group, 0, sizeof(*group));
	group->mask = seen->mask;
	group->best = seen->at;
	for (w = 0; w < ACL_FIELD_WORDS; w++)
		if (acl_words(&group->mask)[w])
			group->word[group->n_words++] = w;
	work->slot[i] = ++class->n_groups;

	return class->n_groups - 1;
}

static void acl_build_node(struct acl_class_work *work, unsigned int s)
{
	struct acl_seen *seen = &work->seen[s];
	struct acl_group *group = &work->class.group[seen->group];
	u32 i = jhash2((u32 *)&seen->key, sizeof(seen->key) / sizeof(u32),
		       seen->group);
	struct acl_raw *raw;

	for (i &= work->slots - 1; work->slot[i];
	     i = (i + 1) & (work->slots - 1)) {
		raw = &work->raw[work->slot[i] - 1];
		if (raw->group != seen->group ||
		    !acl_fields_equal(&work->seen[raw->first].key, &seen->key))
			continue;
		if (raw->done)
			return;
		work->seen[raw->last].next = s + 1;
		goto append;
	}

	work->slot[i] = ++work->n_nodes;
	raw = &work->raw[work->n_nodes - 1];
	memset(raw, 0, sizeof(*raw));
	raw->group = seen->group;
	raw->first = s;
	raw->number = group->n_nodes++;
append:
	raw->last = s;
	raw->n++;
	raw->done = !seen->ranged;
}

static int acl_port_order(const void *_a, const void *_b)
{
	const u16 *a = _a, *b = _b;

	return (int)*a - *b;
}

static void acl_rule_range(const struct acl_rule *rule, bool src, u32 *min,
			   u32 *max)
{
	bool has = src ? rule->has_sport : rule->has_dport;

	*min = !has ? 0 : src ? rule->sport_min : rule->dport_min;
	*max = !has ? U16_MAX : src ? rule->sport_max : rule->dport_max;
}

/* Whether nothing but the ports that were cut has to be asked about. */
static bool acl_rule_decides(const struct acl_rule *rule, bool src)
{
	u32 min, max;

	acl_rule_range(rule, !src, &min, &max);
	/* A single port is in the key of the node. */
	return min == max || (min == 0 && max == U16_MAX);
}

/* Cuts the ports of a node into pieces; without room for them it has none. */
static void acl_build_pieces(struct acl_class_work *work, struct acl_node *node,
			     const struct acl_rule *rule, unsigned int room)
{
	struct acl_class *class = &work->class;
	u16 *cut = &class->cut[work->n_cuts], *list = &class->list[node->list];
	unsigned int i, j, n = 0, by_dst = 0, n_list = 0;
	u32 *start = &class->start[work->n_start];
	/* The rules lie at the end of the room while pieces are made. */
	u16 *all = &class->list[work->n_list + room];
	u32 min, max;

	for (i = 0; i < node->n; i++)
		by_dst += rule[list[i]].has_dport &&
			  !rule[list[i]].mask.dport;
	node->by_src = by_dst * 2 < node->n;

	cut[n++] = 0;
	for (i = 0; i < node->n; i++) {
		acl_rule_range(&rule[list[i]], node->by_src, &min, &max);
		if (min == max)
			continue;
		if (min)
			cut[n++] = min;
		if (max < U16_MAX)
			cut[n++] = max + 1;
	}
	sort(cut, n, sizeof(*cut), acl_port_order, NULL);
	for (i = 1, j = 1; i < n; i++)
		if (cut[i] != cut[j - 1])
			cut[j++] = cut[i];
	n = j;

	memcpy(all, list, node->n * sizeof(*all));
	for (i = 0; i < n; i++) {
		start[i] = node->list + n_list;
		for (j = 0; j < node->n; j++) {
			const struct acl_rule *r = &rule[all[j]];

			acl_rule_range(r, node->by_src, &min, &max);
			if (min != max && (cut[i] < min || cut[i] > max))
				continue;
			if (n_list == room) {
				memcpy(list, all, node->n * sizeof(*all));
				return;
			}
			list[n_list++] = all[j];
			if (acl_rule_decides(r, node->by_src))
				break;
		}
	}
	start[n] = node->list + n_list;
	cut[n] = 0;

	node->cut = work->n_cuts;
	node->n_cuts = n;
	/* Both have the same offset for all pieces of all nodes. */
	work->n_cuts += n + 1;
	work->n_start = work->n_cuts;
	work->n_list += n_list;
}

/* The final node of what acl_build_node() gathered. */
static void acl_build_finish(struct acl_class_work *work,
			     const struct acl_raw *raw,
			     const struct acl_rule *rule)
{
	struct acl_class *class = &work->class;
	struct acl_group *group = &class->group[raw->group];
	struct acl_node *node = &class->node[group->node + raw->number];
	const struct acl_seen *seen = &work->seen[raw->first];
	unsigned int room = ACL_CLASS_SPREAD * raw->n;
	u32 slot;

	memset(node, 0, sizeof(*node));
	node->key = seen->key;
	node->best = seen->at;
	node->sure = !seen->ranged;
	node->list = work->n_list;
	for (;; seen = &work->seen[seen->next - 1]) {
		class->list[node->list + node->n++] = seen->at;
		if (!seen->next)
			break;
	}
	if (node->n > ACL_CLASS_FEW)
		acl_build_pieces(work, node, rule, room);
	if (!node->n_cuts)
		work->n_list += node->n;

	if (!group->size)
		return;
	for (slot = acl_group_hash(group, &node->key) & (group->size - 1);
	     class->table[group->table + slot];
	     slot = (slot + 1) & (group->size - 1))
		;
	class->table[group->table + slot] = raw->number + 1;
}

static void *acl_take(void **at, const void *from, size_t bytes)
{
	void *to = memcpy(*at, from, bytes);

	*at += bytes;
	return to;
}

/* The work, in one piece of memory of the size that it came to. */
static struct acl_class *acl_build_copy(const struct acl_class_work *work)
{
	const struct acl_class *from = &work->class;
	struct acl_class *to;
	size_t size;
	void *at;

	size = sizeof(*to) + from->n_groups * sizeof(*to->group) +
	       work->n_nodes * sizeof(*to->node) +
	       work->n_start * sizeof(*to->start) +
	       (work->n_table + work->n_cuts + work->n_list) * sizeof(u16);
	to = kvmalloc(size, GFP_KERNEL_ACCOUNT);
	if (!to)
		return NULL;

	/* Largest alignment first. */
	at = to + 1;
	to->n_groups = from->n_groups;
	to->group = acl_take(&at, from->group,
			     from->n_groups * sizeof(*to->group));
	to->node = acl_take(&at, from->node, work->n_nodes * sizeof(*to->node));
	to->start = acl_take(&at, from->start,
			     work->n_start * sizeof(*to->start));
	to->table = acl_take(&at, from->table,
			     work->n_table * sizeof(*to->table));
	to->cut = acl_take(&at, from->cut, work->n_cuts * sizeof(*to->cut));
	to->list = acl_take(&at, from->list, work->n_list * sizeof(*to->list));

	return to;
}

/**
 * acl_class_build - Make rules ready for lookups.
 * @work: memory for as many rules
 * @rule: &acl_rules.rule, of which the masked bits of no key are outside its mask
 * @from: position of the first rule
 * @to: position behind the last
 * @view: how much is seen of the frames that are looked up
 *
 * Context: may sleep.
 * Return: the class, to be freed by acl_class_free(), or NULL without memory.
 */
struct acl_class *acl_class_build(struct acl_class_work *work,
				  const struct acl_rule *rule,
				  unsigned int from, unsigned int to,
				  enum acl_view view)
{
	struct acl_class *class = &work->class;
	unsigned int i, n = 0;
	u32 node = 0;

	class->n_groups = 0;
	work->n_cuts = 0;
	work->n_start = 0;
	work->n_list = 0;
	work->n_table = 0;
	work->n_nodes = 0;

	memset(work->slot, 0, work->slots * sizeof(*work->slot));
	for (i = from; i < to; i++) {
		if (!acl_see(&work->seen[n], &rule[i], view))
			continue;
		work->seen[n].at = i;
		work->seen[n].group = acl_build_group(work, &work->seen[n]);
		n++;
	}
	memset(work->slot, 0, work->slots * sizeof(*work->slot));
	for (i = 0; i < n; i++)
		acl_build_node(work, i);

	/* Groups were made in the order of their first rules. */
	for (i = 0; i < class->n_groups; i++) {
		struct acl_group *group = &class->group[i];

		group->node = node;
		node += group->n_nodes;
		if (group->n_nodes < 2)
			continue;
		group->table = work->n_table;
		group->size = roundup_pow_of_two(2 * group->n_nodes);
		memset(&class->table[group->table], 0,
		       group->size * sizeof(*class->table));
		work->n_table += group->size;
	}
	for (i = 0; i < work->n_nodes; i++)
		acl_build_finish(work, &work->raw[i], rule);

	return acl_build_copy(work);
}

/**
 * acl_class_free - Free a class that no frame sees.
 * @class: the class, or NULL
 */
void acl_class_free(struct acl_class *class)
{
	kvfree(class);
}

/**
 * acl_class_work_new - Get memory to build classes in.
 * @n: most rules of a class, 1 to %ACL_RULES_MAX
 *
 * Context: may sleep.
 * Return: the memory, to be freed by acl_class_work_free(), or NULL.
 */
struct acl_class_work *acl_class_work_new(unsigned int n)
{
	struct acl_class_work *work;
	struct acl_class *class;

	work = kzalloc(sizeof(*work), GFP_KERNEL);
	if (!work)
		return NULL;

	class = &work->class;
	work->slots = roundup_pow_of_two(2 * n);
	work->seen = kvmalloc_array(n, sizeof(*work->seen), GFP_KERNEL);
	work->raw = kvmalloc_array(n, sizeof(*work->raw), GFP_KERNEL);
	work->slot = kvmalloc_array(work->slots, sizeof(*work->slot),
				    GFP_KERNEL);
	class->group = kvmalloc_array(n, sizeof(*class->group), GFP_KERNEL);
	class->node = kvmalloc_array(n, sizeof(*class->node), GFP_KERNEL);
	/* Each power of two is below twice the number that was rounded up. */
	class->table = kvmalloc_array(4 * n, sizeof(*class->table), GFP_KERNEL);
	/* A node with pieces has more than two rules: two cuts each, 0, an end. */
	class->cut = kvmalloc_array(3 * n, sizeof(*class->cut), GFP_KERNEL);
	class->start = kvmalloc_array(3 * n, sizeof(*class->start), GFP_KERNEL);
	/* and once more the rules of the node that pieces are made of */
	class->list = kvmalloc_array((ACL_CLASS_SPREAD + 1) * n,
				     sizeof(*class->list), GFP_KERNEL);
	if (work->seen && work->raw && work->slot && class->group &&
	    class->node && class->table && class->cut && class->start &&
	    class->list)
		return work;

	acl_class_work_free(work);
	return NULL;
}

/**
 * acl_class_work_free - Free the memory that classes were built in.
 * @work: the memory, or NULL
 */
void acl_class_work_free(struct acl_class_work *work)
{
	if (!work)
		return;

	kvfree(work->seen);
	kvfree(work->raw);
	kvfree(work->slot);
	kvfree(work->class.group);
	kvfree(work->class.node);
	kvfree(work->class.table);
	kvfree(work->class.cut);
	kvfree(work->class.start);
	kvfree(work->class.list);
	kfree(work);
}
