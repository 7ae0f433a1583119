/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Generic netlink: answers are put together in netlink_fill.c, requests handled
 * in netlink.c.
 */
#ifndef _VMQ_NETLINK_H
#define _VMQ_NETLINK_H

#include "genl_gen.h"
#include "vmq_priv.h"

int vmq_fill_adapter(struct sk_buff *msg, struct vmq_adapter *a);
int vmq_fill_queue(struct sk_buff *msg, struct vmq_queue *q);
int vmq_fill_filter(struct sk_buff *msg, struct vmq_adapter *a,
		    const struct vmq_filter *f, const char *event);
int vmq_fill_port(struct sk_buff *msg, struct vmq_port *port);
int vmq_fill_ext(struct sk_buff *msg, struct vmq_adapter *a,
		 const struct vmq_ext_inst *inst);
int vmq_fill_record(struct sk_buff *msg, struct vmq_port *port,
		    const uuid_t *ext, const uuid_t *class, u32 length);

#endif /* _VMQ_NETLINK_H */
