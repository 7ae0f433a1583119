/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The gate of a port: while it is shut, frames for the guest wait in a queue.
 *
 * gate.c is the state machine and the queue, and knows no port, so that KUnit
 * drives it; gate_port.c joins it to a port and the data path, gate_state.c puts
 * what waits into the stream, announce.c tells the network when a gate opens.
 *
 * How a gate is drained, so that no frame overtakes another:
 *
 *  - Every frame looks at @shut without a lock. Where it is set, the frame takes
 *    @lock and looks again; still shut, it goes to the end of the queue.
 *  - To open is to set the mode and start the drain; @shut stays set. One
 *    drain runs at a time. It takes a frame from the head under @lock and
 *    delivers it with the lock released, then the next. New frames queue up
 *    behind meanwhile.
 *  - When the drain finds the queue empty it clears @shut, under the same lock: the
 *    last held frame was delivered before, and a frame that waits for the lock
 *    sees the gate open and is delivered behind it.
 *  - To close is to set the mode and @shut under @lock, to wait for the drain,
 *    and then for an RCU grace period: what saw the gate open is in the guest's
 *    ring by then. What is in the ring is older than all that waits.
 */
#ifndef _VMQ_GATE_H
#define _VMQ_GATE_H

#include <linux/skbuff.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <uapi/linux/vmq.h>

#define VMQ_GATE_FRAMES		2048
#define VMQ_GATE_FRAMES_MAX	65536
#define VMQ_GATE_BYTES		(8 << 20)
#define VMQ_GATE_BYTES_MAX	(256 << 20)
/* How long a drain waits for a guest that does not read, in all. */
#define VMQ_GATE_PATIENCE	(2 * HZ)

struct vmq_gate;

/**
 * struct vmq_gate_ops - what a gate asks of its port; BH off, RCU read side
 * @ready: has the guest room for another frame?
 * @deliver: hands a frame to the guest
 * @forward: sends a frame to where the gate is redirected to
 * @lost: counts and frees a frame that found no room
 * @opened: the gate was opened; any context but hard interrupts
 * @drained: it is open and nothing waits any more; process context
 */
struct vmq_gate_ops {
	bool (*ready)(struct vmq_gate *g);
	void (*deliver)(struct vmq_gate *g, struct sk_buff *skb);
	void (*forward)(struct vmq_gate *g, struct sk_buff *skb);
	void (*lost)(struct vmq_gate *g, struct sk_buff *skb);
	void (*opened)(struct vmq_gate *g);
	void (*drained)(struct vmq_gate *g);
};

/**
 * struct vmq_gate_counters - what became of frames; never goes backwards
 * @held: frames that waited, or wait
 * @dropped: frames for which the queue had no room
 * @replayed: held frames that were delivered
 * @redirected: frames that were sent to where the gate is redirected to
 * @not_flooded: frames to all that a port did not get as its gate was shut
 * @muted: frames of the port that were not sent as its gate was shut
 * @saved: frames that are in the stream of the last save
 * @restored: frames that came with the stream of the last restore
 */
struct vmq_gate_counters {
	u64 held;
	u64 dropped;
	u64 replayed;
	u64 redirected;
	u64 not_flooded;
	u64 muted;
	u32 saved;
	u32 restored;
};

/**
 * struct vmq_gate - the gate of one port
 * @shut: frames have to wait; all that the data path looks at
 * @mode: of &enum vmq_port_gate
 * @forwarding: frames do not wait but go where the gate is redirected to
 * @redirected: there is such a place
 * @saving: a stream is made of what waits, so that it has to stay
 * @by_save: a save made it automatic
 * @expected: its guest is elsewhere still, so senders on this host reach it there
 * @drain_cpu: where the drain is delivering, -1 where it is not
 * @lock: protects the rest, and changes of the above
 * @first: frames that come before all others: those of a stream
 * @held: frames that arrived here
 * @frames: in both
 * @bytes: of memory that both take
 * @max_frames: most frames
 * @max_bytes: most bytes
 * @n: counters
 * @closed_at: when it was closed, nanoseconds of real time; 0 where it never was
 * @gap: nanoseconds from closing to the guest's first frame; 0 where none was
 * @drain: delivers or forwards what waits
 * @deadline: when a drain no longer waits for the guest, in jiffies
 * @ops: the port
 */
struct vmq_gate {
	bool shut;
	u8 mode;
	bool forwarding;
	bool redirected;
	bool saving;
	bool by_save;
	bool expected;
	int drain_cpu;
	spinlock_t lock;	/* innermost; BH off */
	struct sk_buff_head first;
	struct sk_buff_head held;
	u32 frames;
	u32 bytes;
	u32 max_frames;
	u32 max_bytes;
	struct vmq_gate_counters n;
	u64 closed_at;
	u64 gap;
	struct delayed_work drain;
	unsigned long deadline;
	const struct vmq_gate_ops *ops;
};

/**
 * struct vmq_gate_cb - what a held frame remembers
 * @index: queue of the port that it came by
 * @counted: it was received already, and counted: it was in the guest's ring
 * @restored: it came with a stream
 */
struct vmq_gate_cb {
	u16 index;
	bool counted;
	bool restored;
};

static inline struct vmq_gate_cb *vmq_gate_cb(struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct vmq_gate_cb) > sizeof(skb->cb));
	return (struct vmq_gate_cb *)skb->cb;
}

void vmq_gate_init(struct vmq_gate *g, const struct vmq_gate_ops *ops);
void vmq_gate_destroy(struct vmq_gate *g);
bool vmq_gate_hold(struct vmq_gate *g, struct sk_buff *skb);
void vmq_gate_close(struct vmq_gate *g, enum vmq_port_gate mode);
bool vmq_gate_open(struct vmq_gate *g);
void vmq_gate_save_begin(struct vmq_gate *g);
u32 vmq_gate_clone(struct vmq_gate *g, struct sk_buff_head *list,
		   u64 *closed_at);
void vmq_gate_save_end(struct vmq_gate *g, bool ok, u32 saved, u32 lost);
void vmq_gate_save_undo(struct vmq_gate *g);
void vmq_gate_put_first(struct vmq_gate *g, struct sk_buff_head *list,
			u32 lost);
void vmq_gate_restore(struct vmq_gate *g, struct sk_buff_head *list,
		      u64 closed_at, u32 restored, u32 lost);
void vmq_gate_redirect(struct vmq_gate *g, bool on);
void vmq_gate_limit(struct vmq_gate *g, u32 frames, u32 bytes);

extern struct workqueue_struct *vmq_gate_wq;

int vmq_gate_wq_init(void);
void vmq_gate_wq_exit(void);

#endif /* _VMQ_GATE_H */
