// SPDX-License-Identifier: GPL-2.0
/*
 * The gate of a port: its states, and the queue of the frames that wait. How it
 * is opened and closed without a frame overtaking another is in gate.h.
 *
 * The mode is what users see. "open" with @shut still set is a gate whose drain
 * is under way.
 */
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "gate.h"

/* For what takes its time, and a port's deletion waits for. */
struct workqueue_struct *vmq_gate_wq;

/* ---- the queue ---- */

static void vmq_gate_purge(struct vmq_gate *g, struct sk_buff_head *list)
{
	struct sk_buff *skb;

	while ((skb = __skb_dequeue(list))) {
		g->frames--;
		g->bytes -= skb->truesize;
		kfree_skb(skb);
	}
}

/* The oldest are kept: what came first is what the guest misses first. */
static bool vmq_gate_enqueue(struct vmq_gate *g, struct sk_buff_head *list,
			     struct sk_buff *skb)
{
	lockdep_assert_held(&g->lock);
	if (g->frames >= g->max_frames ||
	    skb->truesize > g->max_bytes - min(g->bytes, g->max_bytes)) {
		g->n.dropped++;
		return false;
	}
	__skb_queue_tail(list, skb);
	g->frames++;
	g->bytes += skb->truesize;
	g->n.held++;
	return true;
}

static struct sk_buff *vmq_gate_dequeue(struct vmq_gate *g,
					struct sk_buff_head *list)
{
	struct sk_buff *skb = __skb_dequeue(list);

	lockdep_assert_held(&g->lock);
	if (skb) {
		g->frames--;
		g->bytes -= skb->truesize;
	}
	return skb;
}

/**
 * vmq_gate_hold() - a frame has come to a gate that was seen shut
 * @g: the gate
 * @skb: the frame, data at the network header, its control block filled; the
 *	gate's where the answer is true
 *
 * Context: BH off, RCU read side.
 * Return: true if the frame waits, was forwarded, or was dropped as there was no
 * room for it; false if the gate is open after all, and the frame is to go on.
 */
bool vmq_gate_hold(struct vmq_gate *g, struct sk_buff *skb)
{
	bool forward = false, kept = true;

	spin_lock(&g->lock);
	if (!g->shut) {
		spin_unlock(&g->lock);
		return false;
	}
	if (g->forwarding) {
		forward = true;
		g->n.redirected++;
	} else {
		kept = vmq_gate_enqueue(g, &g->held, skb);
	}
	spin_unlock(&g->lock);
	if (forward)
		g->ops->forward(g, skb);
	else if (!kept)
		g->ops->lost(g, skb);
	return true;
}

/* ---- the drain ---- */

enum vmq_gate_step {
	VMQ_GATE_DONE,		/* nothing is left to do */
	VMQ_GATE_AGAIN,
	VMQ_GATE_WAIT,		/* the guest does not read */
	VMQ_GATE_OPENED,
};

/* Under the lock: what the drain does next, and with which frame. */
static enum vmq_gate_step vmq_gate_next(struct vmq_gate *g,
					struct sk_buff **skb, bool *forward)
{
	*skb = NULL;
	*forward = g->mode != VMQ_PORT_GATE_OPEN;
	if (*forward) {
		/* what is in a stream stays, in case the guest goes on here */
		if (!g->redirected || g->saving)
			return VMQ_GATE_DONE;
		*skb = vmq_gate_dequeue(g, &g->held);
		if (*skb) {
			g->n.redirected++;
			return VMQ_GATE_AGAIN;
		}
		g->forwarding = true;
		return VMQ_GATE_DONE;
	}
	if (!g->shut)
		return VMQ_GATE_DONE;
	if (g->frames && !g->ops->ready(g) &&
	    time_before(jiffies, g->deadline))
		return VMQ_GATE_WAIT;
	*skb = vmq_gate_dequeue(g, &g->first) ?:
	       vmq_gate_dequeue(g, &g->held);
	if (*skb) {
		g->n.replayed++;
		return VMQ_GATE_AGAIN;
	}
	WRITE_ONCE(g->shut, false);
	return VMQ_GATE_OPENED;
}

static enum vmq_gate_step vmq_gate_drain_one(struct vmq_gate *g)
{
	enum vmq_gate_step step;
	struct sk_buff *skb;
	bool forward;

	local_bh_disable();
	rcu_read_lock();
	spin_lock(&g->lock);
	step = vmq_gate_next(g, &skb, &forward);
	spin_unlock(&g->lock);
	if (skb && forward) {
		g->ops->forward(g, skb);
	} else if (skb) {
		/* on its way the frame comes by the gate, which is still shut */
		WRITE_ONCE(g->drain_cpu, smp_processor_id());
		g->ops->deliver(g, skb);
		WRITE_ONCE(g->drain_cpu, -1);
	}
	rcu_read_unlock();
	local_bh_enable();
	return step;
}

static void vmq_gate_drain(struct work_struct *work)
{
	struct vmq_gate *g = container_of(to_delayed_work(work),
					  struct vmq_gate, drain);
	enum vmq_gate_step step;

	do {
		step = vmq_gate_drain_one(g);
		cond_resched();
	} while (step == VMQ_GATE_AGAIN);
	if (step == VMQ_GATE_WAIT)
		queue_delayed_work(vmq_gate_wq, &g->drain, 1);
	else if (step == VMQ_GATE_OPENED)
		g->ops->drained(g);
}

/* ---- states ---- */

/**
 * vmq_gate_open() - opens a gate
 * @g: the gate
 *
 * What waits is delivered first, by the drain; see gate.h.
 *
 * Context: Any but hard interrupts.
 * Return: true if it was not open.
 */
bool vmq_gate_open(struct vmq_gate *g)
{
	bool opened = false;

	spin_lock_bh(&g->lock);
	if (g->mode != VMQ_PORT_GATE_OPEN) {
		WRITE_ONCE(g->mode, VMQ_PORT_GATE_OPEN);
		g->forwarding = false;
		g->by_save = false;
		WRITE_ONCE(g->expected, false);
		g->deadline = jiffies + VMQ_GATE_PATIENCE;
		g->gap = 0;
		if (g->closed_at)
			/* clocks of two hosts may differ */
			g->gap = max_t(s64, ktime_get_real_ns() - g->closed_at,
				       1);
		opened = true;
	}
	spin_unlock_bh(&g->lock);
	if (opened) {
		mod_delayed_work(vmq_gate_wq, &g->drain, 0);
		g->ops->opened(g);
	}
	return opened;
}

static void vmq_gate_shut(struct vmq_gate *g, enum vmq_port_gate mode)
{
	lockdep_assert_held(&g->lock);
	if (g->mode == VMQ_PORT_GATE_OPEN)
		g->closed_at = ktime_get_real_ns();
	WRITE_ONCE(g->mode, mode);
	WRITE_ONCE(g->shut, true);
}

static void vmq_gate_kick(struct vmq_gate *g)
{
	mod_delayed_work(vmq_gate_wq, &g->drain, 0);
}

/**
 * vmq_gate_close() - closes a gate, or changes how a closed one opens
 * @g: the gate
 * @mode: %VMQ_PORT_GATE_CLOSED or %VMQ_PORT_GATE_AUTO
 *
 * The caller waits for a grace period afterwards.
 *
 * Context: Process context.
 */
void vmq_gate_close(struct vmq_gate *g, enum vmq_port_gate mode)
{
	spin_lock_bh(&g->lock);
	vmq_gate_shut(g, mode);
	g->by_save = false;
	WRITE_ONCE(g->expected, mode == VMQ_PORT_GATE_AUTO);
	spin_unlock_bh(&g->lock);
	cancel_delayed_work_sync(&g->drain);
	vmq_gate_kick(g);
}

/**
 * vmq_gate_save_begin() - a save begins
 * @g: the gate
 *
 * An open gate becomes automatic: the guest is about to go on elsewhere, and if
 * it goes on here its first frame opens the gate. The caller waits for a grace
 * period afterwards.
 *
 * Context: Process context.
 */
void vmq_gate_save_begin(struct vmq_gate *g)
{
	spin_lock_bh(&g->lock);
	if (g->mode == VMQ_PORT_GATE_OPEN) {
		vmq_gate_shut(g, VMQ_PORT_GATE_AUTO);
		g->by_save = true;
	}
	g->forwarding = false;
	WRITE_ONCE(g->expected, false);
	g->saving = true;
	g->n.saved = 0;
	spin_unlock_bh(&g->lock);
	cancel_delayed_work_sync(&g->drain);
}

/**
 * vmq_gate_clone() - takes down what waits, for a stream
 * @g: the gate
 * @list: gets a clone of each frame, oldest first
 * @closed_at: when it was closed
 *
 * What is in a stream is not forwarded any more. It stays, in case the guest goes
 * on here; a gate that is open has nothing to give away.
 *
 * Context: Process context, between a save's begin and end.
 * Return: frames that could not be cloned.
 */
u32 vmq_gate_clone(struct vmq_gate *g, struct sk_buff_head *list,
		   u64 *closed_at)
{
	struct sk_buff *skb, *clone;
	u32 lost = 0;

	spin_lock_bh(&g->lock);
	*closed_at = g->closed_at;
	if (g->mode != VMQ_PORT_GATE_OPEN) {
		skb_queue_splice_tail_init(&g->held, &g->first);
		skb_queue_walk(&g->first, skb) {
			clone = skb_clone(skb, GFP_ATOMIC);
			if (clone)
				__skb_queue_tail(list, clone);
			else
				lost++;
		}
	}
	spin_unlock_bh(&g->lock);
	return lost;
}

/**
 * vmq_gate_save_end() - a save ended
 * @g: the gate
 * @ok: well; else the gate is as it was before
 * @saved: frames in the stream
 * @lost: frames that could not be put there
 *
 * Context: Process context.
 */
void vmq_gate_save_end(struct vmq_gate *g, bool ok, u32 saved, u32 lost)
{
	spin_lock_bh(&g->lock);
	g->saving = false;
	if (ok) {
		g->n.saved = saved;
		g->n.dropped += lost;
	}
	spin_unlock_bh(&g->lock);
	if (!ok)
		vmq_gate_save_undo(g);
	vmq_gate_kick(g);
}

/**
 * vmq_gate_save_undo() - a save is of no use any more: it failed or was aborted
 * @g: the gate; opens again if a save made it automatic
 *
 * Context: Process context.
 */
void vmq_gate_save_undo(struct vmq_gate *g)
{
	bool open;

	spin_lock_bh(&g->lock);
	open = g->by_save;
	spin_unlock_bh(&g->lock);
	if (open)
		vmq_gate_open(g);
}

/* Under the lock, with BH off; what finds no room is in drop afterwards. */
static void vmq_gate_fill(struct vmq_gate *g, struct sk_buff_head *list,
			  struct sk_buff_head *drop)
{
	struct sk_buff *skb;

	while ((skb = __skb_dequeue(list)))
		if (!vmq_gate_enqueue(g, &g->first, skb))
			__skb_queue_tail(drop, skb);
}

static void vmq_gate_lose(struct vmq_gate *g, struct sk_buff_head *drop)
{
	struct sk_buff *skb;

	while ((skb = __skb_dequeue(drop)))
		g->ops->lost(g, skb);
}

/**
 * vmq_gate_put_first() - puts frames before all that arrived here
 * @g: the gate, shut
 * @list: the frames, oldest first; empty afterwards
 * @lost: those that are not in @list
 *
 * Context: Process context.
 */
void vmq_gate_put_first(struct vmq_gate *g, struct sk_buff_head *list, u32 lost)
{
	struct sk_buff_head drop;

	__skb_queue_head_init(&drop);
	local_bh_disable();
	spin_lock(&g->lock);
	g->n.dropped += lost;
	vmq_gate_fill(g, list, &drop);
	spin_unlock(&g->lock);
	vmq_gate_lose(g, &drop);
	local_bh_enable();
}

/**
 * vmq_gate_restore() - takes what waited at the gate of another host
 * @g: the gate, which stays as it is; one that is open delivers at once
 * @list: the frames, oldest first; empty afterwards
 * @closed_at: when the other one was closed
 * @restored: frames in the stream
 * @lost: those that are not in @list
 *
 * What an earlier stream left here is stale.
 *
 * Context: Process context.
 */
void vmq_gate_restore(struct vmq_gate *g, struct sk_buff_head *list,
		      u64 closed_at, u32 restored, u32 lost)
{
	struct sk_buff_head drop;

	__skb_queue_head_init(&drop);
	local_bh_disable();
	spin_lock(&g->lock);
	vmq_gate_purge(g, &g->first);
	g->by_save = false;
	WRITE_ONCE(g->expected, false);
	g->n.restored = restored;
	g->n.dropped += lost;
	vmq_gate_fill(g, list, &drop);
	if (g->mode != VMQ_PORT_GATE_OPEN) {
		g->closed_at = closed_at ?: g->closed_at;
	} else if (g->frames) {
		WRITE_ONCE(g->shut, true);
		g->deadline = jiffies + VMQ_GATE_PATIENCE;
	}
	spin_unlock(&g->lock);
	vmq_gate_lose(g, &drop);
	local_bh_enable();
	vmq_gate_kick(g);
}

/**
 * vmq_gate_redirect() - frames go elsewhere, or wait again
 * @g: the gate
 * @on: they go elsewhere while the gate is shut and no save runs
 *
 * Context: Process context.
 */
void vmq_gate_redirect(struct vmq_gate *g, bool on)
{
	spin_lock_bh(&g->lock);
	g->redirected = on;
	if (!on)
		g->forwarding = false;
	spin_unlock_bh(&g->lock);
	if (on)
		vmq_gate_kick(g);
}

/**
 * vmq_gate_limit() - sets how much may wait
 * @g: the gate; what waits already stays
 * @frames: most frames, 0 for as it is
 * @bytes: most bytes of memory, 0 for as it is
 *
 * Context: Process context.
 */
void vmq_gate_limit(struct vmq_gate *g, u32 frames, u32 bytes)
{
	spin_lock_bh(&g->lock);
	g->max_frames = frames ?: g->max_frames;
	g->max_bytes = bytes ?: g->max_bytes;
	spin_unlock_bh(&g->lock);
}

/**
 * vmq_gate_init() - makes a gate, open
 * @g: the gate
 * @ops: its port
 *
 * Context: Process context.
 */
void vmq_gate_init(struct vmq_gate *g, const struct vmq_gate_ops *ops)
{
	memset(g, 0, sizeof(*g));
	g->mode = VMQ_PORT_GATE_OPEN;
	g->drain_cpu = -1;
	g->max_frames = VMQ_GATE_FRAMES;
	g->max_bytes = VMQ_GATE_BYTES;
	g->ops = ops;
	spin_lock_init(&g->lock);
	__skb_queue_head_init(&g->first);
	__skb_queue_head_init(&g->held);
	INIT_DELAYED_WORK(&g->drain, vmq_gate_drain);
}

/**
 * vmq_gate_destroy() - frees what waits; the gate is open and drains no more
 * @g: the gate
 *
 * Context: Process context.
 */
void vmq_gate_destroy(struct vmq_gate *g)
{
	spin_lock_bh(&g->lock);
	/* a frame that is on its way to the queue goes on instead */
	WRITE_ONCE(g->mode, VMQ_PORT_GATE_OPEN);
	WRITE_ONCE(g->shut, false);
	spin_unlock_bh(&g->lock);
	cancel_delayed_work_sync(&g->drain);
	spin_lock_bh(&g->lock);
	vmq_gate_purge(g, &g->first);
	vmq_gate_purge(g, &g->held);
	spin_unlock_bh(&g->lock);
}

/**
 * vmq_gate_wq_init() - makes what drains run on
 *
 * Context: Module init.
 * Return: 0 or -ENOMEM.
 */
int __init vmq_gate_wq_init(void)
{
	vmq_gate_wq = alloc_workqueue("vmq_gate", WQ_UNBOUND, 0);
	return vmq_gate_wq ? 0 : -ENOMEM;
}

/**
 * vmq_gate_wq_exit() - undoes vmq_gate_wq_init()
 *
 * Context: Module exit, no gate left.
 */
void vmq_gate_wq_exit(void)
{
	destroy_workqueue(vmq_gate_wq);
}
