/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The FIFO of a queue: frames that can't be delivered where they arrive. Pure: it
 * knows no queue, no device and no way to wake anybody.
 *
 * Order comes from two rules:
 *
 * - While a frame waits, or a frame that waited is still on its way up, no frame
 *   is delivered past the FIFO: slow is not 0 then, and who sees that puts his
 *   frame in as well.
 * - One consumer at a time: who takes frames is busy until he says that he is
 *   done with all of them, and nobody takes any before that.
 *
 * So the delivery mode can change at any time, under any load, by naming another
 * consumer (vmq_fifo_switch()): nothing is held up, moved or lost. Frames that
 * are in the FIFO stay there, in their order; the new consumer gets them when the
 * old one is done with what he has; and back in direct mode, slow stays set until
 * the last of them has been delivered.
 *
 * A FIFO can be held (vmq_fifo_hold()): then frames go in and none comes out. So
 * frames that a filter sends to another queue from now on don't overtake those
 * that it sent to the old one, which pass a mark (vmq_fifo_mark()).
 *
 * What arrives on two CPUs at once has no order. On one CPU, a frame that is
 * delivered directly is through before the next one is looked at; but where the stack
 * takes a list of frames for a netdev, it is at the end of that list. So where other
 * frames of the queue wait meanwhile that came on another CPU, as what a guest sends to
 * the host, it may be overtaken by the next one of the list.
 */
#ifndef _VMQ_QUEUE_FIFO_H
#define _VMQ_QUEUE_FIFO_H

#include <linux/skbuff.h>

/* Why frames of a queue can't just be delivered; in vmq_fifo.slow. */
#define VMQ_SLOW_WAIT		BIT(0)	/* frames wait or are being delivered */
#define VMQ_SLOW_NAPI		BIT(1)	/* the queue has a consumer of its own */
#define VMQ_SLOW_SINGLE		BIT(2)	/* its frames share calls with no others */
#define VMQ_SLOW_LOOKAHEAD	BIT(3)	/* they need room and linear bytes */
#define VMQ_SLOW_PORT		BIT(4)	/* there is no port, or it has a say */
#define VMQ_SLOW_TAP		BIT(5)	/* they are for the ring of its tap */
#define VMQ_SLOW_HOLD		BIT(6)	/* others come first */

/* These need the FIFO. */
#define VMQ_SLOW_FIFO		(VMQ_SLOW_WAIT | VMQ_SLOW_NAPI |	\
				 VMQ_SLOW_SINGLE | VMQ_SLOW_HOLD)

/* Frames that wait while the FIFO is held, whatever its limit is. */
#define VMQ_FIFO_HELD		16384

/* What is to be done after a call. */
enum vmq_wake {
	VMQ_WAKE_NONE,		/* nothing: the consumer comes, or has no work */
	VMQ_WAKE_NOW,		/* wake the consumer */
	VMQ_WAKE_LATER,		/* wake it when the first frame waited long enough */
	VMQ_WAKE_AGAIN,		/* who asks goes on: there is more */
	VMQ_WAKE_FULL,		/* the frame did not go in */
};

/**
 * struct vmq_fifo - frames of a queue that wait
 * @slow: VMQ_SLOW_*; read for every frame, written under the lock of @frames
 * @frames: the frames; its lock protects what follows
 * @limit: most frames that wait, 1 or more
 * @patience: frames that wait before the consumer is woken, within a time that
 *	the caller measures; 0 wakes with the first
 * @consumer: who takes the frames, NULL: the softirq that put them in
 * @scheduled: the consumer has been woken and will look for frames
 * @busy: frames that somebody took and still delivers
 * @passed: frames that have been through, modulo 2^32
 */
struct vmq_fifo {
	unsigned int slow;
	struct sk_buff_head frames;
	u32 limit;
	u32 patience;
	const void *consumer;
	bool scheduled;
	u32 busy;
	u32 passed;
};

void vmq_fifo_init(struct vmq_fifo *f, u32 limit);
void vmq_fifo_flag(struct vmq_fifo *f, unsigned int slow, bool on);
void vmq_fifo_bound(struct vmq_fifo *f, u32 limit);
void vmq_fifo_moderate(struct vmq_fifo *f, const void *consumer, u32 patience);
enum vmq_wake vmq_fifo_put(struct vmq_fifo *f, struct sk_buff *skb);
bool vmq_fifo_due(struct vmq_fifo *f, const void *consumer);
unsigned int vmq_fifo_take(struct vmq_fifo *f, const void *consumer,
			   unsigned int budget, struct sk_buff_head *batch);
enum vmq_wake vmq_fifo_done(struct vmq_fifo *f, const void *consumer);
enum vmq_wake vmq_fifo_switch(struct vmq_fifo *f, const void *consumer);
void vmq_fifo_hold(struct vmq_fifo *f);
enum vmq_wake vmq_fifo_unhold(struct vmq_fifo *f);
u32 vmq_fifo_mark(struct vmq_fifo *f);
bool vmq_fifo_is_past(struct vmq_fifo *f, u32 mark);
bool vmq_fifo_holds(struct vmq_fifo *f);
u32 vmq_fifo_waiting(struct vmq_fifo *f);
void vmq_fifo_purge(struct vmq_fifo *f, struct sk_buff_head *frames);

#endif /* _VMQ_QUEUE_FIFO_H */
