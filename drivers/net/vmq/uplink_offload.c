// SPDX-License-Identifier: GPL-2.0
/*
 * What the uplink's own n-tuple table does for the filters.
 *
 * A filter that tests whole fields is offered to the table with one of the
 * uplink's receive rings, so that a VM's frames have an interrupt and a CPU of
 * their own before software looks at them. Each VM queue has one ring, that of
 * the fewest queues when its first rule is taken; ring 0 is left to everything
 * else. It is a hint: the classifier decides about every frame, and a rule that
 * is refused or lost costs speed only.
 *
 * Each filter is on a rung: hardware rule, hardware address (the uplink filters by
 * it, but spreads as it likes) or software. A change is told to listeners. As no
 * driver tells what becomes of its table, nor the core of promiscuous mode, both
 * are looked at when something happens to the uplink, and every ten seconds.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/workqueue.h>

#include "uplink_nfc.h"
#include "vmq_priv.h"

#define VMQ_CHECK_SOON	(HZ / 20)	/* so that several events are one */
#define VMQ_CHECK_OFTEN	(10 * HZ)
#define VMQ_CHECK_BATCH	256		/* filters, between which others may go on */

/**
 * struct vmq_offload - what of an adapter is in its uplink's table
 * @work: compares the table; holds the adapter's netdev while it is pending
 * @a: the adapter
 * @nfc: the table
 * @nfc_err: why it is not used
 * @generation: of refusals; what was refused in an earlier one is offered again
 * @rules: of ours in the table
 * @full: it had no room for one more
 * @events: something happened, so that all filters are looked at
 * @filters: what the uplink filters by, unicast and multicast addresses
 * @n_load: number of @load
 * @load: VM queues by ring of the uplink
 *
 * Under rtnl, and all but @events under adapter->lock too.
 */
struct vmq_offload {
	struct delayed_work work;
	struct vmq_adapter *a;
	struct vmq_nfc nfc;
	int nfc_err;
	u32 generation;
	u32 rules;
	bool full;
	bool events;
	bool filters[2];
	u32 n_load;
	u16 *load;
};

static struct workqueue_struct *vmq_offload_wq;

static u32 vmq_offload_rings(const struct vmq_offload *off)
{
	return min(off->n_load, READ_ONCE(off->nfc.dev->real_num_rx_queues));
}

/* ---- rings ---- */

static u32 vmq_ring_get(struct vmq_offload *off, struct vmq_queue *q)
{
	u32 rings = vmq_offload_rings(off), i, best = 1;

	if (q->hw_rules++) {
		if (q->hw_ring < rings)
			return q->hw_ring;
		off->load[q->hw_ring]--;
	}
	for (i = 2; i < rings; i++)
		if (off->load[i] < off->load[best])
			best = i;
	q->hw_ring = best;
	off->load[best]++;
	return best;
}

static void vmq_ring_put(struct vmq_offload *off, struct vmq_queue *q)
{
	if (!--q->hw_rules)
		off->load[q->hw_ring]--;
}

/* ---- one rule; the uplink is ready for its ethtool operations ---- */

static int vmq_offload_try(struct vmq_offload *off, struct vmq_filter *f)
{
	struct ethtool_rx_flow_spec *hw;
	int err;

	if (off->nfc_err)
		return off->nfc_err;
	if (vmq_offload_rings(off) < 2)
		return -ENODEV;
	if (off->full)
		return -ENOSPC;
	hw = kmalloc(sizeof(*hw), GFP_KERNEL_ACCOUNT);
	if (!hw)
		return -ENOMEM;
	vmq_offload_spec(f, hw, vmq_ring_get(off, f->queue));
	err = vmq_nfc_add(&off->nfc, hw);
	if (err) {
		vmq_ring_put(off, f->queue);
		kfree(hw);
		off->full = err == -ENOSPC;
		return err;
	}
	f->hw = hw;
	off->rules++;
	return 0;
}

static void vmq_offload_insert(struct vmq_offload *off, struct vmq_filter *f)
{
	f->hw_generation = off->generation;
	f->hw_err = vmq_offload_unfit(f) ? -EOPNOTSUPP :
					   vmq_offload_try(off, f);
}

/* Forgets what the table has, or had, of a filter. */
static void vmq_offload_forget(struct vmq_offload *off, struct vmq_filter *f)
{
	vmq_ring_put(off, f->queue);
	kfree(f->hw);
	f->hw = NULL;
	off->rules--;
}

static void vmq_offload_remove(struct vmq_offload *off, struct vmq_filter *f)
{
	vmq_nfc_del(&off->nfc, f->hw);
	vmq_offload_forget(off, f);
}

/* Gives the place of @old in the table to @f, which matches the same frames. */
static void vmq_offload_move(struct vmq_offload *off, struct vmq_filter *f,
			     struct vmq_filter *old)
{
	u32 ring;

	if (vmq_offload_unfit(f)) {
		vmq_offload_remove(off, old);
		return;
	}
	ring = vmq_ring_get(off, f->queue);
	if (ring != ethtool_get_flow_spec_ring(old->hw->ring_cookie) &&
	    vmq_nfc_steer(&off->nfc, old->hw, ring)) {
		vmq_ring_put(off, f->queue);
		vmq_offload_remove(off, old);
		return;
	}
	vmq_ring_put(off, old->queue);
	f->hw = old->hw;
	old->hw = NULL;
}

/* ---- rungs ---- */

/**
 * vmq_filter_rung() - what the uplink does for a filter
 * @a: the adapter
 * @f: the filter
 *
 * Context: Process context, rtnl and adapter->lock held.
 * Return: the rung.
 */
enum vmq_filter_rung vmq_filter_rung(const struct vmq_adapter *a,
				     const struct vmq_filter *f)
{
	struct net_device *uplink = rtnl_dereference(a->uplink);

	if (uplink && f->hw)
		return VMQ_FILTER_RUNG_HARDWARE_RULE;
	if (uplink && vmq_filter_has_addr(f) &&
	    vmq_uplink_filters(uplink,
			       is_multicast_ether_addr(f->rule->key.dst)))
		return VMQ_FILTER_RUNG_HARDWARE_ADDRESS;
	return VMQ_FILTER_RUNG_SOFTWARE;
}

static int vmq_rule_reason(const struct vmq_offload *off,
			   const struct vmq_filter *f, char *text, size_t len)
{
	const char *unfit = vmq_offload_unfit(f);
	const char *name = off->nfc.dev->name;

	if (unfit)
		return scnprintf(text, len, "%s", unfit);
	if (off->nfc_err == -EOPNOTSUPP)
		return scnprintf(text, len, "%s has no n-tuple rules", name);
	if (off->nfc_err == -ENODATA)
		return scnprintf(text, len,
				 "n-tuple rules are off: ethtool -K %s ntuple on",
				 name);
	if (off->nfc_err)
		return scnprintf(text, len, "%s does not show its rules: %pe",
				 name, ERR_PTR(off->nfc_err));
	if (vmq_offload_rings(off) < 2)
		return scnprintf(text, len, "%s has one receive queue", name);
	if (f->hw_err == -ENOSPC)
		return scnprintf(text, len, "the table of %s is full", name);
	return scnprintf(text, len, "%s refused the rule: %pe", name,
			 ERR_PTR(f->hw_err));
}

/**
 * vmq_filter_rung_reason() - why a filter is on no higher rung
 * @a: the adapter
 * @f: the filter
 * @text: room for VMQ_RUNG_REASON bytes; empty for one on the highest
 *
 * Context: Process context, rtnl and adapter->lock held.
 */
void vmq_filter_rung_reason(const struct vmq_adapter *a,
			    const struct vmq_filter *f, char *text)
{
	struct net_device *uplink = rtnl_dereference(a->uplink);
	enum vmq_filter_rung rung = vmq_filter_rung(a, f);
	int n;

	text[0] = '\0';
	if (rung == VMQ_FILTER_RUNG_HARDWARE_RULE)
		return;
	if (!uplink || !a->offload || !a->offload->nfc.dev) {
		strscpy(text, "no uplink", VMQ_RUNG_REASON);
		return;
	}
	n = vmq_rule_reason(a->offload, f, text, VMQ_RUNG_REASON);
	if (rung == VMQ_FILTER_RUNG_HARDWARE_ADDRESS)
		return;
	if (vmq_filter_has_addr(f))
		scnprintf(text + n, VMQ_RUNG_REASON - n,
			  "; %s receives all addresses", uplink->name);
	else
		scnprintf(text + n, VMQ_RUNG_REASON - n,
			  "; it has no whole destination address");
}

static void vmq_rung_update(struct vmq_adapter *a, struct vmq_filter *f)
{
	enum vmq_filter_rung rung = vmq_filter_rung(a, f);

	if (rung == f->rung)
		return;
	f->rung = rung;
	vmq_notify_filter(a, f, "rung");
}

/**
 * vmq_offload_rules() - rules of an adapter in its uplink's table
 * @a: the adapter
 *
 * Context: Process context, rtnl held.
 * Return: the number.
 */
u32 vmq_offload_rules(const struct vmq_adapter *a)
{
	return a->offload->rules;
}

/* ---- set and clear ---- */

static void vmq_offload_later(struct vmq_offload *off, unsigned long delay)
{
	/* one reference as long as it is pending */
	if (!mod_delayed_work(vmq_offload_wq, &off->work, delay))
		dev_hold(off->a->dev);
}

static void vmq_offload_watch(struct vmq_offload *off)
{
	if (off->nfc.dev &&
	    queue_delayed_work(vmq_offload_wq, &off->work, VMQ_CHECK_OFTEN))
		dev_hold(off->a->dev);
}

/**
 * vmq_offload_set() - offers a filter to the uplink's table
 * @a: the adapter
 * @f: the filter, in place
 * @old: the one that had its place before, or NULL
 *
 * Context: Process context, rtnl and adapter->lock held, sleeps.
 */
void vmq_offload_set(struct vmq_adapter *a, struct vmq_filter *f,
		     struct vmq_filter *old)
{
	struct vmq_offload *off = a->offload;
	struct net_device *dev;

	if (!off || !off->nfc.dev)
		return;
	dev = off->nfc.dev;
	f->hw_err = off->nfc_err;
	f->hw_generation = off->generation;
	if (off->nfc_err && !(old && old->hw))
		goto out;
	if (vmq_nfc_begin(dev)) {
		/* the look at it when it is back makes good for it */
		f->hw_err = -ENODEV;
		if (old && old->hw)
			vmq_offload_forget(off, old);
	} else {
		if (old && old->hw) {
			if (vmq_rule_same_match(f->rule, old->rule))
				vmq_offload_move(off, f, old);
			else
				vmq_offload_remove(off, old);
		}
		if (!f->hw)
			vmq_offload_insert(off, f);
		vmq_nfc_end(dev);
	}
out:
	f->rung = vmq_filter_rung(a, f);
}

/**
 * vmq_offload_clear() - takes a filter out of the uplink's table
 * @a: the adapter
 * @f: the filter
 *
 * Context: Process context, rtnl and adapter->lock held, sleeps.
 */
void vmq_offload_clear(struct vmq_adapter *a, struct vmq_filter *f)
{
	struct vmq_offload *off = a->offload;

	if (!f->hw)
		return;
	if (vmq_nfc_begin(off->nfc.dev)) {
		vmq_offload_forget(off, f);
	} else {
		vmq_offload_remove(off, f);
		vmq_nfc_end(off->nfc.dev);
	}
	/* there is room for one that had none */
	if (off->full)
		vmq_offload_later(off, VMQ_CHECK_SOON);
}

/* ---- compare ---- */

/* Has anything changed, as far as can be told without a look at each filter? */
static bool vmq_offload_changed(struct vmq_offload *off)
{
	bool changed = off->events || off->rules || off->full, filters;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(off->filters); i++) {
		filters = vmq_uplink_filters(off->nfc.dev, i);
		changed |= filters != off->filters[i];
		off->filters[i] = filters;
	}
	/* what was refused is asked for again after an event, not every time */
	off->generation += off->events;
	off->events = false;
	return changed;
}

/* Looks at the table anew. */
static void vmq_offload_reopen(struct vmq_offload *off)
{
	off->nfc_err = off->load ? vmq_nfc_open(&off->nfc, off->nfc.dev) :
				   -ENOMEM;
	off->full = false;
}

static void vmq_offload_compare(struct vmq_offload *off, struct vmq_filter *f)
{
	bool offer = f->hw_err == -ENOSPC ||
		     f->hw_generation != off->generation;

	if (f->hw && (off->nfc_err || f->queue->hw_ring >=
		      vmq_offload_rings(off) ||
		      !vmq_nfc_is_there(&off->nfc, f->hw))) {
		vmq_offload_remove(off, f);
		offer = true;
	}
	if (!f->hw && offer)
		vmq_offload_insert(off, f);
	vmq_rung_update(off->a, f);
}

/* Compares some filters from *@at on. Return: are there more? */
static bool vmq_offload_batch(struct vmq_offload *off, unsigned long *at)
{
	struct vmq_adapter *a = off->a;
	unsigned int n = 0;
	struct vmq_filter *f;
	bool more = false;

	if (!off->nfc.dev)
		return false;
	if (!*at && !vmq_offload_changed(off))
		return false;
	if (!*at)
		vmq_offload_reopen(off);
	if (vmq_nfc_begin(off->nfc.dev))
		return false;		/* away; there is an event when it is back */
	xa_for_each_start(&a->filters, *at, f, *at) {
		if (n++ == VMQ_CHECK_BATCH) {
			more = true;
			break;
		}
		vmq_offload_compare(off, f);
	}
	vmq_nfc_end(off->nfc.dev);
	return more;
}

static void vmq_offload_work(struct work_struct *work)
{
	struct vmq_offload *off = container_of(work, struct vmq_offload,
					       work.work);
	struct net_device *dev = off->a->dev;
	unsigned long at = 0;
	bool more;

	do {
		rtnl_lock();
		mutex_lock(&off->a->lock);
		more = vmq_offload_batch(off, &at);
		if (!more)
			vmq_offload_watch(off);
		mutex_unlock(&off->a->lock);
		rtnl_unlock();
		cond_resched();
	} while (more);
	dev_put(dev);
}

/**
 * vmq_offload_check() - something happened to the uplink, so compare its table
 * @a: the adapter
 *
 * Only asks for it: this may be called with the uplink's own lock held.
 *
 * Context: Process context, rtnl held.
 */
void vmq_offload_check(struct vmq_adapter *a)
{
	struct vmq_offload *off = a->offload;

	if (!off || !off->nfc.dev)
		return;
	off->events = true;
	vmq_offload_later(off, VMQ_CHECK_SOON);
}

/**
 * vmq_offload_attach() - offers all filters to a new uplink
 * @a: the adapter, its uplink attached
 *
 * Context: Process context, rtnl held, sleeps; takes adapter->lock.
 */
void vmq_offload_attach(struct vmq_adapter *a)
{
	struct net_device *uplink = rtnl_dereference(a->uplink);
	struct vmq_offload *off = a->offload;
	unsigned long at = 0;

	mutex_lock(&a->lock);
	off->nfc.dev = uplink;
	off->events = true;
	off->n_load = uplink->num_rx_queues;
	off->load = kvcalloc(off->n_load, sizeof(*off->load),
			     GFP_KERNEL_ACCOUNT);
	while (vmq_offload_batch(off, &at))
		;
	vmq_offload_watch(off);
	mutex_unlock(&a->lock);
}

/**
 * vmq_offload_detach() - takes all rules out of an uplink's table
 * @a: the adapter, which has no uplink any more
 * @uplink: the netdev that was it
 *
 * Context: Process context, rtnl held, sleeps; takes adapter->lock.
 */
void vmq_offload_detach(struct vmq_adapter *a, struct net_device *uplink)
{
	struct vmq_offload *off = a->offload;
	struct vmq_filter *f;
	unsigned long loc;
	bool ready;

	mutex_lock(&a->lock);
	/* one that goes for good takes its table along */
	ready = uplink->reg_state == NETREG_REGISTERED &&
		!vmq_nfc_begin(uplink);
	xa_for_each(&a->filters, loc, f) {
		if (f->hw && ready)
			vmq_offload_remove(off, f);
		else if (f->hw)
			vmq_offload_forget(off, f);
		vmq_rung_update(a, f);
	}
	if (ready)
		vmq_nfc_end(uplink);
	vmq_nfc_close(&off->nfc);
	kvfree(off->load);
	off->load = NULL;
	off->full = false;
	/* one that runs waits for rtnl, and finds no uplink or the next one */
	if (cancel_delayed_work(&off->work))
		dev_put(a->dev);
	mutex_unlock(&a->lock);
}

/* ---- init and exit ---- */

/**
 * vmq_offload_init() - prepares an adapter for uplinks with tables
 * @a: the adapter
 *
 * Context: Process context.
 * Return: 0 or -ENOMEM.
 */
int vmq_offload_init(struct vmq_adapter *a)
{
	struct vmq_offload *off = kzalloc(sizeof(*off), GFP_KERNEL_ACCOUNT);

	if (!off)
		return -ENOMEM;
	INIT_DELAYED_WORK(&off->work, vmq_offload_work);
	off->a = a;
	a->offload = off;
	return 0;
}

/**
 * vmq_offload_destroy() - frees what vmq_offload_init() made
 * @a: the adapter
 *
 * Context: Process context.
 */
void vmq_offload_destroy(struct vmq_adapter *a)
{
	kfree(a->offload);
	a->offload = NULL;
}

/**
 * vmq_offload_wq_init() - makes the queue for comparisons
 *
 * Context: Module init.
 * Return: 0 or -ENOMEM.
 */
int __init vmq_offload_wq_init(void)
{
	vmq_offload_wq = alloc_workqueue("vmq-offload", WQ_UNBOUND, 0);
	return vmq_offload_wq ? 0 : -ENOMEM;
}

/**
 * vmq_offload_wq_exit() - waits for the last of them
 *
 * Context: Module exit, no adapter left.
 */
void vmq_offload_wq_exit(void)
{
	destroy_workqueue(vmq_offload_wq);
}
