/* SPDX-License-Identifier: GPL-2.0 */
/*
 * port_stray.c: frames that QEMU takes from the tap of a guest it has stopped.
 */
#ifndef _VMQ_PORT_STRAY_H
#define _VMQ_PORT_STRAY_H

#include <linux/jump_label.h>
#include <linux/skbuff.h>

struct vmq_port;

/**
 * struct vmq_stray - the frames of one port that its guest does not get
 * @on: frames on their way to the tap are marked; read without a lock
 * @vhost: vhost-net has read since, so what another reads the guest misses
 * @tag: of the port's frames, while @on: no other's are taken for them
 * @lost: frames that there was no memory to copy
 * @list: copies, the oldest first; its lock protects all of this
 */
struct vmq_stray {
	bool on;
	bool vhost;
	u32 tag;
	u32 lost;
	struct sk_buff_head list;
};

DECLARE_STATIC_KEY_FALSE(vmq_stray_key);	/* a port marks its frames */

void __vmq_stray_mark(struct vmq_stray *s, u32 minor, struct sk_buff *skb);

/*
 * A frame is about to go into the ring of the tap with this minor. Context: RCU
 * read side, BH off.
 */
static inline void vmq_stray_mark(struct vmq_stray *s, u32 minor,
				  struct sk_buff *skb)
{
	if (static_branch_unlikely(&vmq_stray_key) && READ_ONCE(s->on))
		__vmq_stray_mark(s, minor, skb);
}

void vmq_stray_unmark(struct sk_buff *skb);
void vmq_stray_saw(struct vmq_stray *s, struct sk_buff *skb, bool vhost,
		   unsigned int max);
u32 vmq_stray_take(struct vmq_stray *s, struct sk_buff_head *list);
void vmq_stray_set(struct vmq_stray *s, bool on);
void vmq_stray_init(struct vmq_stray *s);
void vmq_stray_exit(void);

#endif /* _VMQ_PORT_STRAY_H */
