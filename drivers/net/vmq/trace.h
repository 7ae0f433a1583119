/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints: what is delivered on a queue, and what is not.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM vmq

#if !defined(_VMQ_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _VMQ_TRACE_H

#include <linux/tracepoint.h>

#include "vmq_priv.h"

TRACE_DEFINE_ENUM(VMQ_DROP_STATE);
TRACE_DEFINE_ENUM(VMQ_DROP_DOWN);
TRACE_DEFINE_ENUM(VMQ_DROP_READER);
TRACE_DEFINE_ENUM(VMQ_DROP_FULL);
TRACE_DEFINE_ENUM(VMQ_DROP_EXT);
TRACE_DEFINE_ENUM(VMQ_DROP_NOMEM);
TRACE_DEFINE_ENUM(VMQ_DROP_FILTER);

/* One call that hands frames of a queue to the stack or to the guest. */
TRACE_EVENT(vmq_deliver,
	    TP_PROTO(const struct vmq_queue *q, unsigned int count, bool single),
	    TP_ARGS(q, count, single),
	    TP_STRUCT__entry(__string(dev, q->adapter->dev->name)
			     __field(u32, queue)
			     __field(u32, count)
			     __field(bool, single)),
	    TP_fast_assign(__assign_str(dev);
			   __entry->queue = q->id;
			   __entry->count = count;
			   __entry->single = single;),
	    TP_printk("dev=%s queue=%u count=%u single=%d", __get_str(dev),
		      __entry->queue, __entry->count, __entry->single)
);

/* A frame as a queue with lookahead delivers it (M-07, M-10). */
TRACE_EVENT(vmq_lookahead,
	    TP_PROTO(const struct vmq_queue *q, const struct sk_buff *skb),
	    TP_ARGS(q, skb),
	    TP_STRUCT__entry(__string(dev, q->adapter->dev->name)
			     __field(u32, queue)
			     __field(u32, len)
			     __field(u32, linear)
			     __field(u32, room)),
	    TP_fast_assign(__assign_str(dev);
			   __entry->queue = q->id;
			   __entry->len = skb->len + ETH_HLEN;
			   __entry->linear = skb_headlen(skb) + ETH_HLEN;
			   __entry->room = skb_headroom(skb) - ETH_HLEN;),
	    TP_printk("dev=%s queue=%u len=%u linear=%u room=%u",
		      __get_str(dev), __entry->queue, __entry->len,
		      __entry->linear, __entry->room)
);

/* A frame of a queue that is not delivered. */
TRACE_EVENT(vmq_drop,
	    TP_PROTO(const struct vmq_queue *q, enum vmq_drop cause),
	    TP_ARGS(q, cause),
	    TP_STRUCT__entry(__string(dev, q->adapter->dev->name)
			     __field(u32, queue)
			     __field(u32, cause)),
	    TP_fast_assign(__assign_str(dev);
			   __entry->queue = q->id;
			   __entry->cause = cause;),
	    TP_printk("dev=%s queue=%u cause=%s", __get_str(dev),
		      __entry->queue,
		      __print_symbolic(__entry->cause,
				       { VMQ_DROP_STATE, "not_running" },
				       { VMQ_DROP_DOWN, "device_down" },
				       { VMQ_DROP_READER, "no_reader" },
				       { VMQ_DROP_FULL, "ring_full" },
				       { VMQ_DROP_EXT, "extension" },
				       { VMQ_DROP_NOMEM, "no_memory" },
				       { VMQ_DROP_FILTER, "filter" }))
);

#endif /* _VMQ_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
