// SPDX-License-Identifier: GPL-2.0
/*
 * Frames that QEMU takes from the tap of a guest that it has stopped.
 *
 * While the guest runs vhost-net reads the tap. To stop the guest QEMU takes the
 * tap back, reads a frame from each queue before it finds that nobody wants it,
 * and forgets it, wherever the guest goes on. That is before it asks for the
 * port's state, so a save would come too late for these frames.
 *
 * So a port that forwards marks the frames that it gives to the tap: their
 * destructor runs in the context of whoever has read them. Of what is read by
 * anybody but vhost-net, after vhost-net was there, we keep a copy, for the save.
 * That vhost-net reads again tells that the guest runs, and the copies go.
 *
 * A QEMU without vhost-net reads all frames itself, so what it forgets can't be
 * told from what it gave to the guest.
 */
#include <linux/sched.h>
#include <linux/wait_bit.h>

#include "port_stray.h"
#include "vmq_priv.h"

DEFINE_STATIC_KEY_FALSE(vmq_stray_key);

static u32 vmq_stray_tags;	/* rtnl */
/* Marked frames: a tap's ring may be freed after its file, and so after ports. */
static atomic_t vmq_stray_marked = ATOMIC_INIT(0);

/* In the control block of a marked frame: it may outlive its port. */
struct vmq_stray_cb {
	u32 minor;
	u32 tag;
};

static struct vmq_stray_cb *vmq_stray_cb(struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct vmq_stray_cb) > sizeof(skb->cb));
	return (struct vmq_stray_cb *)skb->cb;
}

/* Frames that QEMU may read for nothing: two of each queue are more than it does. */
static unsigned int vmq_stray_max(struct vmq_port *port)
{
	return 2 * clamp(READ_ONCE(port->tap.numqueues), 1, MAX_TAP_QUEUES);
}

/* The destructor of a marked frame, which is still whole. */
static void vmq_stray_read(struct sk_buff *skb)
{
	struct vmq_stray_cb cb = *vmq_stray_cb(skb);
	struct vmq_port *port = NULL;
	bool vhost;

	vhost = current->flags & (PF_KTHREAD | PF_USER_WORKER) &&
		!(current->flags & PF_IO_WORKER);
	rcu_read_lock();
	/* else it was dropped on its way: who reads does not keep softirqs off */
	if (in_task() && !in_softirq())
		port = vmq_tap_port(cb.minor);
	if (port && READ_ONCE(port->stray.tag) == cb.tag)
		vmq_stray_saw(&port->stray, skb, vhost, vmq_stray_max(port));
	if (atomic_dec_and_test(&vmq_stray_marked))
		wake_up_var(&vmq_stray_marked);
	rcu_read_unlock();
}

/**
 * __vmq_stray_mark() - has a frame tell who reads it
 * @s: of its port, seen to be on
 * @minor: of the port's character device
 * @skb: the frame, nobody's
 *
 * Context: RCU read side, BH off.
 */
void __vmq_stray_mark(struct vmq_stray *s, u32 minor, struct sk_buff *skb)
{
	*vmq_stray_cb(skb) = (struct vmq_stray_cb) {
		.minor = minor,
		.tag = READ_ONCE(s->tag),
	};
	skb->destructor = vmq_stray_read;
	atomic_inc(&vmq_stray_marked);
}

/**
 * vmq_stray_unmark() - a frame is taken back from the tap
 * @skb: the frame, marked or not
 *
 * Context: Any.
 */
void vmq_stray_unmark(struct sk_buff *skb)
{
	if (skb->destructor != vmq_stray_read)
		return;
	skb->destructor = NULL;
	if (atomic_dec_and_test(&vmq_stray_marked))
		wake_up_var(&vmq_stray_marked);
}

/**
 * vmq_stray_saw() - a frame was read from the tap
 * @s: of its port
 * @skb: the frame
 * @vhost: by vhost-net
 * @max: frames that others read for nothing; who reads more wants them
 *
 * Context: Any but hard interrupts.
 */
void vmq_stray_saw(struct vmq_stray *s, struct sk_buff *skb, bool vhost,
		   unsigned int max)
{
	struct sk_buff *copy = NULL;
	bool keep;

	/* as a rule the guest runs, and there is nothing to do */
	if (vhost ? READ_ONCE(s->vhost) && skb_queue_empty_lockless(&s->list) :
		    !READ_ONCE(s->vhost))
		return;
	if (!vhost)
		copy = skb_copy(skb, GFP_ATOMIC | __GFP_NOWARN);

	spin_lock_bh(&s->list.lock);
	keep = s->on && s->vhost && !vhost &&
	       skb_queue_len(&s->list) < max;
	if (keep && copy) {
		__skb_queue_tail(&s->list, copy);
		copy = NULL;
	} else if (keep) {
		s->lost++;
	} else {
		__skb_queue_purge(&s->list);
		WRITE_ONCE(s->vhost, s->on && vhost);
	}
	spin_unlock_bh(&s->list.lock);
	kfree_skb(copy);
}

/**
 * vmq_stray_take() - gives away the copies, for a save
 * @s: of the port
 * @list: gets them, the oldest first, as they were in the tap's ring
 *
 * Context: Process context.
 * Return: frames that should be there, too, since the last time.
 */
u32 vmq_stray_take(struct vmq_stray *s, struct sk_buff_head *list)
{
	u32 lost;

	spin_lock_bh(&s->list.lock);
	skb_queue_splice_tail_init(&s->list, list);
	lost = s->lost;
	s->lost = 0;
	spin_unlock_bh(&s->list.lock);
	return lost;
}

/**
 * vmq_stray_set() - frames are to tell who reads them, or not any more
 * @s: of the port
 * @on: they are
 *
 * Context: Process context, rtnl held.
 */
void vmq_stray_set(struct vmq_stray *s, bool on)
{
	ASSERT_RTNL();
	/* off it has nothing, and frames that are on their way don't matter */
	if (s->on == on)
		return;
	spin_lock_bh(&s->list.lock);
	WRITE_ONCE(s->tag, ++vmq_stray_tags);
	WRITE_ONCE(s->vhost, false);
	WRITE_ONCE(s->on, on);
	s->lost = 0;
	__skb_queue_purge(&s->list);
	spin_unlock_bh(&s->list.lock);
	if (on)
		static_branch_inc(&vmq_stray_key);
	else
		static_branch_dec(&vmq_stray_key);
}

/**
 * vmq_stray_init() - prepares it, off
 * @s: of a new port
 *
 * Context: Any.
 */
void vmq_stray_init(struct vmq_stray *s)
{
	skb_queue_head_init(&s->list);
}

/**
 * vmq_stray_exit() - waits for the last marked frame
 *
 * The socket of a tap outlives its file while a frame that the guest sent is in a
 * qdisc or with a NIC, and so do frames in its ring.
 *
 * Context: Module exit, no port left.
 */
void vmq_stray_exit(void)
{
	wait_var_event(&vmq_stray_marked, !atomic_read(&vmq_stray_marked));
	/* the destructor of the last one has returned */
	synchronize_rcu();
}
