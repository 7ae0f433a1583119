/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Generic netlink, what its files share.
 */
#ifndef _VMQ_NETLINK_H
#define _VMQ_NETLINK_H

#include "genl_gen.h"
#include "vmq_priv.h"

bool vmq_nl_names_dev(const struct genl_info *info);
struct vmq_adapter *vmq_nl_adapter(const struct genl_info *info);
struct vmq_port *vmq_nl_port(const struct genl_info *info);
struct vmq_port *vmq_nl_port_admin(struct sk_buff *skb,
				   const struct genl_info *info);
struct vmq_owner *vmq_nl_client(struct sk_buff *skb,
				const struct genl_info *info,
				struct vmq_adapter **a);
int vmq_nl_uuid(const struct nlattr *attr, uuid_t *uuid,
		struct netlink_ext_ack *extack);
struct sk_buff *vmq_nl_reply_start(struct genl_info *info, void **hdr);
int vmq_nl_reply_end(struct genl_info *info, struct sk_buff *msg, void *hdr,
		     int err);

/* The largest object is a port with 256 queues, 16 addresses and a long trunk. */
#define VMQ_NL_ROOM	(2 * GENLMSG_DEFAULT_SIZE)

/* ---- netlink_commit.c ---- */

int vmq_nl_commit_init(void);
void vmq_nl_commit_exit(void);

typedef int vmq_get_fn(struct sk_buff *msg, const struct genl_info *info);

int vmq_nl_get(struct genl_info *info, vmq_get_fn *get);

#define VMQ_BATCH_MAX	1024		/* entries of one request */

/* The answer to a request with many entries: what became of each. */
struct vmq_batch {
	struct sk_buff *msg;
	void *hdr;
	u16 status;			/* attribute of the answer, nests one */
	u32 left;			/* entries still to be answered */
};

int vmq_batch_start(struct vmq_batch *b, struct genl_info *info, u16 entry,
		    u16 status);
void vmq_batch_put(struct vmq_batch *b, u32 id, int err,
		   const struct netlink_ext_ack *extack);
int vmq_batch_end(struct vmq_batch *b, struct genl_info *info, int err);

/* Where a dump stands: object within adapter, adapters by their serial numbers. */
struct vmq_dump {
	unsigned long adapter;
	unsigned long pos;
};

typedef int vmq_dump_fn(struct sk_buff *skb, struct netlink_callback *cb,
			struct vmq_adapter *a, unsigned long *pos);

struct vmq_dump *vmq_dump(struct netlink_callback *cb);
void *vmq_dump_start(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd);
int vmq_dump_end(struct sk_buff *skb, void *hdr, int err);
int vmq_nl_dump(struct sk_buff *skb, struct netlink_callback *cb,
		vmq_dump_fn *fn);
int vmq_nl_dump_all(struct sk_buff *skb, struct netlink_callback *cb,
		    vmq_dump_fn *fn);

int vmq_put_u64(struct sk_buff *msg, int attr, u64 value);
int vmq_put_uuid(struct sk_buff *msg, int attr, const uuid_t *uuid);
int vmq_fill_dev(struct sk_buff *msg, const struct net_device *dev);
int vmq_fill_adapter(struct sk_buff *msg, struct vmq_adapter *a);
int vmq_fill_queue(struct sk_buff *msg, struct vmq_queue *q);
int vmq_fill_filter(struct sk_buff *msg, struct vmq_adapter *a,
		    const struct vmq_filter *f, const char *event);
int vmq_fill_port(struct sk_buff *msg, struct vmq_port *port);
int vmq_fill_ext(struct sk_buff *msg, struct vmq_adapter *a,
		 const struct vmq_ext_inst *inst);
int vmq_fill_record(struct sk_buff *msg, struct vmq_port *port,
		    const uuid_t *ext, const uuid_t *class, u32 length);

/* ---- netlink_group.c ---- */

int vmq_fill_adapter_mcast(struct sk_buff *msg, struct vmq_adapter *a);
int vmq_fill_port_mcast(struct sk_buff *msg, struct vmq_port *port);

#endif /* _VMQ_NETLINK_H */
