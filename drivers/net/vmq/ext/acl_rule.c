// SPDX-License-Identifier: GPL-2.0
/*
 * The extension acl: the rules of a port.
 *
 * Frames see an immutable list. A change edits a copy and publishes it, so that
 * a frame is judged by all of a change or nothing of it, and a change that is
 * refused half way leaves nothing behind. What must not start again from 0, the
 * counters, is shared by the copies.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include "acl.h"

static void acl_fields_set(struct acl_fields *fields,
			   const struct acl_flow *flow,
			   const struct sk_buff *skb)
{
	const struct ethhdr *eth = eth_hdr(skb);

	memset(fields, 0, sizeof(*fields));
	ether_addr_copy(fields->eth_src, eth->h_source);
	ether_addr_copy(fields->eth_dst, eth->h_dest);
	fields->ethertype = ntohs(flow->ethertype);
	fields->vlan = flow->vlan;
	fields->free = flow->free;
	if (!flow->ip.family)
		return;

	fields->src = flow->ip.src;
	fields->dst = flow->ip.dst;
	fields->family = flow->ip.family;
	fields->proto = flow->ip.proto;
	fields->sport = flow->sport;
	fields->dport = flow->dport;
	fields->icmp_type = flow->icmp_type;
	fields->icmp_code = flow->icmp_code;
	fields->tcp = flow->tcp;
}

/**
 * acl_rules_judge - Judge a frame by the rules of its port.
 * @rules: the rules
 * @flow: what was read of the frame
 * @skb: the frame
 *
 * Context: BH disabled, inside an RCU read-side section.
 * Return: the rule that decides, which has counted the frame, or NULL.
 */
const struct acl_rule *acl_rules_judge(const struct acl_rules *rules,
				       const struct acl_flow *flow,
				       const struct sk_buff *skb)
{
	const struct acl_class *class = rules->class[flow->dir][flow->view];
	struct acl_fields fields __uninitialized;
	struct acl_rule_stats *stats;
	const struct acl_rule *rule;

	if (!class)
		return NULL;

	acl_fields_set(&fields, flow, skb);
	rule = acl_class_find(class, rules->rule, &fields);
	if (!rule)
		return NULL;

	stats = this_cpu_ptr(rule->stats);
	u64_stats_update_begin(&stats->syncp);
	u64_stats_inc(&stats->packets);
	u64_stats_add(&stats->bytes, skb->len + ETH_HLEN);
	u64_stats_update_end(&stats->syncp);

	return rule;
}

/**
 * acl_rule_counters - Sum up what a rule decided.
 * @rule: the rule
 * @packets: set to the number of frames
 * @bytes: set to the number of bytes
 */
void acl_rule_counters(const struct acl_rule *rule, u64 *packets, u64 *bytes)
{
	int cpu;

	*packets = 0;
	*bytes = 0;

	for_each_possible_cpu(cpu) {
		const struct acl_rule_stats *stats;
		unsigned int start;
		u64 p, b;

		stats = per_cpu_ptr(rule->stats, cpu);
		do {
			start = u64_stats_fetch_begin(&stats->syncp);
			p = u64_stats_read(&stats->packets);
			b = u64_stats_read(&stats->bytes);
		} while (u64_stats_fetch_retry(&stats->syncp, start));

		*packets += p;
		*bytes += b;
	}
}

/**
 * acl_rules_next - Find the rule with the lowest id that is not below an id.
 * @rules: the rules, or NULL
 * @id: where to start
 *
 * Ids are never used again, so that a walk by them sees every rule once that is
 * there all the time, whatever else changes.
 *
 * Return: the rule, or NULL.
 */
const struct acl_rule *acl_rules_next(const struct acl_rules *rules, u32 id)
{
	unsigned int low = 0, high;

	if (!rules)
		return NULL;

	high = rules->n;
	while (low < high) {
		unsigned int mid = (low + high) / 2;

		if (rules->rule[rules->by_id[mid]].id < id)
			low = mid + 1;
		else
			high = mid;
	}

	return low < rules->n ? &rules->rule[rules->by_id[low]] : NULL;
}

/**
 * acl_edit_begin - Start to change the rules of a port.
 * @edit: the change; ended by acl_edit_commit() or acl_edit_abort()
 * @acl: the port
 * @more: how many rules may be added at most
 *
 * Context: rtnl held.
 * Return: 0 or -ENOMEM.
 */
int acl_edit_begin(struct acl_edit *edit, const struct acl_port *acl,
		   unsigned int more)
{
	const struct acl_rules *rules = rtnl_dereference(acl->rules);
	unsigned int n = rules ? rules->n : 0;

	memset(edit, 0, sizeof(*edit));
	edit->n = n;
	edit->room = n + min_t(unsigned int, more, ACL_RULES_MAX);
	edit->first_id = acl->next_id;
	edit->next_id = acl->next_id;

	edit->rule = kvmalloc_array(edit->room ?: 1, sizeof(*edit->rule),
				    GFP_KERNEL);
	edit->gone = kvmalloc_array(n ?: 1, sizeof(*edit->gone), GFP_KERNEL);
	if (!edit->rule || !edit->gone) {
		kvfree(edit->rule);
		kvfree(edit->gone);
		return -ENOMEM;
	}

	if (n)
		memcpy(edit->rule, rules->rule, n * sizeof(*edit->rule));

	return 0;
}

static bool acl_rule_same(const struct acl_rule *a, const struct acl_rule *b)
{
	return a->priority == b->priority && a->dir == b->dir &&
	       a->allow == b->allow &&
	       !memcmp(&a->key, &b->key, sizeof(a->key)) &&
	       !memcmp(&a->mask, &b->mask, sizeof(a->mask)) &&
	       a->has_src == b->has_src && a->src_len == b->src_len &&
	       a->has_dst == b->has_dst && a->dst_len == b->dst_len &&
	       a->has_sport == b->has_sport &&
	       a->sport_min == b->sport_min && a->sport_max == b->sport_max &&
	       a->has_dport == b->has_dport &&
	       a->dport_min == b->dport_min && a->dport_max == b->dport_max;
}

/**
 * acl_edit_add - Add a rule.
 * @edit: the change
 * @rule: the rule; its id and counters are assigned here
 * @extack: says why not
 *
 * Return: 0, -EEXIST, -ENOSPC or -ENOMEM.
 */
int acl_edit_add(struct acl_edit *edit, const struct acl_rule *rule,
		 struct netlink_ext_ack *extack)
{
	struct acl_rule_stats __percpu *stats;
	struct acl_rule *new;
	unsigned int i;

	for (i = 0; i < edit->n; i++) {
		if (acl_rule_same(&edit->rule[i], rule)) {
			NL_SET_ERR_MSG_FMT(extack,
					   "acl: rule %u is the same already",
					   edit->rule[i].id);
			return -EEXIST;
		}
	}

	/* Ids are 31 bits so that the cursor of a dump can tell them apart. */
	if (edit->n >= min_t(unsigned int, edit->room, ACL_RULES_MAX) ||
	    edit->next_id > S32_MAX) {
		NL_SET_ERR_MSG(extack, "acl: the port has no room for more rules");
		return -ENOSPC;
	}

	stats = __netdev_alloc_pcpu_stats(struct acl_rule_stats,
					  GFP_KERNEL_ACCOUNT);
	if (!stats) {
		NL_SET_ERR_MSG(extack, "acl: no memory for the rule");
		return -ENOMEM;
	}

	new = &edit->rule[edit->n++];
	*new = *rule;
	new->id = edit->next_id++;
	new->stats = stats;

	return 0;
}

/* A new rule was never seen by a frame, so its counters can go at once. */
static void acl_edit_drop(struct acl_edit *edit, const struct acl_rule *rule)
{
	if (rule->id >= edit->first_id)
		free_percpu(rule->stats);
	else
		edit->gone[edit->n_gone++] = rule->stats;
}

/**
 * acl_edit_del - Remove a rule.
 * @edit: the change
 * @id: id of the rule
 *
 * Return: 0 or -ENOENT.
 */
int acl_edit_del(struct acl_edit *edit, u32 id)
{
	unsigned int i;

	for (i = 0; i < edit->n; i++) {
		if (edit->rule[i].id != id)
			continue;

		acl_edit_drop(edit, &edit->rule[i]);
		edit->rule[i] = edit->rule[--edit->n];
		return 0;
	}

	return -ENOENT;
}

/**
 * acl_edit_flush - Remove all rules.
 * @edit: the change
 */
void acl_edit_flush(struct acl_edit *edit)
{
	while (edit->n)
		acl_edit_drop(edit, &edit->rule[--edit->n]);
}

/**
 * acl_edit_abort - Give a change up.
 * @edit: the change
 */
void acl_edit_abort(struct acl_edit *edit)
{
	unsigned int i;

	for (i = 0; i < edit->n; i++)
		if (edit->rule[i].id >= edit->first_id)
			free_percpu(edit->rule[i].stats);

	kvfree(edit->rule);
	kvfree(edit->gone);
}

static int acl_rule_order(const void *_a, const void *_b)
{
	const struct acl_rule *a = _a, *b = _b;

	if (a->dir != b->dir)
		return a->dir == VMQ_TO_GUEST ? -1 : 1;
	if (a->priority != b->priority)
		return a->priority < b->priority ? -1 : 1;

	return a->id < b->id ? -1 : 1;
}

static int acl_id_order(const void *_a, const void *_b, const void *_rules)
{
	const struct acl_rules *rules = _rules;
	const u16 *a = _a, *b = _b;

	return rules->rule[*a].id < rules->rule[*b].id ? -1 : 1;
}

static bool acl_rules_classify(struct acl_rules *rules)
{
	struct acl_class_work *work = acl_class_work_new(rules->n);
	bool done = false;
	unsigned int dir;
	int view;

	if (!work)
		return false;

	for (dir = VMQ_TO_GUEST; dir <= VMQ_FROM_GUEST; dir++) {
		unsigned int from = dir == VMQ_TO_GUEST ? 0 : rules->n_in;
		unsigned int to = dir == VMQ_TO_GUEST ? rules->n_in : rules->n;

		for (view = 0; from < to && view < ACL_VIEWS; view++) {
			rules->class[dir][view] =
				acl_class_build(work, rules->rule, from, to,
						view);
			if (!rules->class[dir][view])
				goto out;
		}
	}
	done = true;
out:
	acl_class_work_free(work);
	return done;
}

/**
 * acl_rules_build - Make a list of rules that frames can be judged by.
 * @rule: the rules, in any order
 * @n: their number, at least 1
 *
 * Context: may sleep.
 * Return: the list, to be freed by acl_rules_destroy(), or NULL without memory.
 */
struct acl_rules *acl_rules_build(const struct acl_rule *rule, unsigned int n)
{
	struct acl_rules *rules;
	unsigned int i;

	rules = kvzalloc(struct_size(rules, rule, n) +
			 n * sizeof(*rules->by_id), GFP_KERNEL_ACCOUNT);
	if (!rules)
		return NULL;

	rules->n = n;
	rules->by_id = (u16 *)((u8 *)rules + struct_size(rules, rule, n));
	memcpy(rules->rule, rule, n * sizeof(*rule));
	sort(rules->rule, rules->n, sizeof(*rules->rule), acl_rule_order, NULL);

	for (i = 0; i < rules->n; i++) {
		rules->by_id[i] = i;
		if (rules->rule[i].dir == VMQ_TO_GUEST)
			rules->n_in = i + 1;
		if (rules->rule[i].link)
			rules->link[rules->rule[i].dir] = true;
	}
	sort_r(rules->by_id, rules->n, sizeof(*rules->by_id), acl_id_order,
	       NULL, rules);

	if (!acl_rules_classify(rules)) {
		acl_rules_destroy(rules);
		return NULL;
	}

	return rules;
}

/**
 * acl_rules_destroy - Free a list of rules, but not their counters.
 * @rules: the list, which no frame sees
 */
void acl_rules_destroy(struct acl_rules *rules)
{
	unsigned int dir;
	int view;

	for (dir = 0; dir < ARRAY_SIZE(rules->class); dir++)
		for (view = 0; view < ACL_VIEWS; view++)
			acl_class_free(rules->class[dir][view]);
	kvfree(rules);
}

static void acl_rules_rcu(struct rcu_head *rcu)
{
	acl_rules_destroy(container_of(rcu, struct acl_rules, rcu));
}

/**
 * acl_edit_commit - Make a change take effect.
 * @edit: the change; it has ended unless there is no memory
 * @acl: the port
 *
 * Context: rtnl held.
 * Return: 0 or -ENOMEM.
 */
int acl_edit_commit(struct acl_edit *edit, struct acl_port *acl)
{
	struct acl_rules *new = NULL, *old;
	unsigned int i;

	if (edit->n) {
		new = acl_rules_build(edit->rule, edit->n);
		if (!new)
			return -ENOMEM;
	}

	old = rcu_replace_pointer(acl->rules, new, lockdep_rtnl_is_held());
	acl->next_id = edit->next_id;

	if (edit->n_gone) {
		/* Frames may count on in the rules that are gone. */
		synchronize_net();
		for (i = 0; i < edit->n_gone; i++)
			free_percpu(edit->gone[i]);
		if (old)
			acl_rules_destroy(old);
	} else if (old) {
		call_rcu(&old->rcu, acl_rules_rcu);
	}

	kvfree(edit->rule);
	kvfree(edit->gone);

	return 0;
}

/**
 * acl_rules_free - Free the rules of a port that no frame reaches any more.
 * @acl: the port
 */
void acl_rules_free(struct acl_port *acl)
{
	struct acl_rules *rules = rcu_dereference_protected(acl->rules, true);
	unsigned int i;

	RCU_INIT_POINTER(acl->rules, NULL);
	if (!rules)
		return;

	for (i = 0; i < rules->n; i++)
		free_percpu(rules->rule[i].stats);
	acl_rules_destroy(rules);
}
