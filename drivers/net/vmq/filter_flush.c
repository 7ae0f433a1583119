// SPDX-License-Identifier: GPL-2.0
/*
 * Filters that go together: those of an owner, of a queue, of a port, of an adapter
 * (F-07). One grace period does for all of them.
 */
#include "vmq_priv.h"

static void vmq_filter_flush_some(struct vmq_adapter *a, u8 owner,
				  const void *party, bool all)
{
	struct vmq_filter *f;
	unsigned long loc;
	bool any = false;
	LIST_HEAD(gone);

	mutex_lock(&a->lock);
	xa_for_each(&a->filters, loc, f) {
		if (!all && (f->owner != owner ||
			     !vmq_filter_is_of(f, owner, party)))
			continue;
		vmq_filter_remove(a, f, &gone);
		any = true;
	}
	if (any)
		vmq_filter_give_back(&gone);
	mutex_unlock(&a->lock);
}

/**
 * vmq_filter_flush() - clears all filters of an owner, one grace period for all
 * @a: the adapter
 * @owner: whose; not a port, for which there is vmq_filter_flush_port()
 * @party: the socket, if the owner is one
 *
 * Context: Process context, sleeps, rtnl held; takes adapter->lock.
 */
void vmq_filter_flush(struct vmq_adapter *a, u8 owner, const void *party)
{
	vmq_filter_flush_some(a, owner, party, false);
}

/**
 * vmq_filter_flush_all() - clears every filter that is left
 * @a: the adapter, about to go
 *
 * Context: Process context, sleeps, rtnl held; takes adapter->lock.
 */
void vmq_filter_flush_all(struct vmq_adapter *a)
{
	vmq_filter_flush_some(a, 0, NULL, true);
}

/**
 * vmq_filter_flush_queue() - clears every filter of a queue, whoever set it
 * @q: the queue, about to be freed as its owner is gone (F-07)
 *
 * Context: Process context, rtnl and adapter->lock held.
 */
void vmq_filter_flush_queue(struct vmq_queue *q)
{
	struct vmq_filter *f, *next;
	LIST_HEAD(gone);

	list_for_each_entry_safe(f, next, &q->rules, node)
		vmq_filter_remove(q->adapter, f, &gone);
	/* only a rule's own queue goes with its last filter */
	WARN_ON_ONCE(!list_empty(&gone));
}

/**
 * vmq_filter_flush_port() - clears every filter whose target a port is
 * @port: the port, about to go
 *
 * Those that it set, and the administrator's rules for its queues: their target
 * does not exist any more (F-07). Frames may still be on their way to the port
 * until a grace period has passed.
 *
 * Context: Process context, rtnl held; takes adapter->lock.
 */
void vmq_filter_flush_port(struct vmq_port *port)
{
	struct vmq_adapter *a = port->adapter;
	struct vmq_filter *f, *next;
	struct vmq_queue *q;
	LIST_HEAD(gone);
	u32 n = 0;

	mutex_lock(&a->lock);
	while (vmq_port_nth_queue(port, n))
		n++;
	/* backwards: what a rule adds to a table goes with it, and others move up */
	while (n--) {
		q = vmq_port_nth_queue(port, n);
		list_for_each_entry_safe(f, next, &q->rules, node)
			vmq_filter_remove(a, f, &gone);
	}
	/* queues of ports go with their port, not with their last filter */
	if (!list_empty(&gone))
		vmq_filter_give_back(&gone);
	mutex_unlock(&a->lock);
}
