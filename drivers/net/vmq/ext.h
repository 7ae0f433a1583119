/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Extensions as the core sees them; how they see the core is in net/vmq.h. Part of
 * vmq_priv.h.
 *
 *   ext.c         which there are, and on which adapters
 *   ext_stack.c   the stacks that frames of ports meet
 *   ext_veto.c    what they may refuse
 *   ext_inject.c  frames of their own
 */
#ifndef _VMQ_EXT_H
#define _VMQ_EXT_H

#include <linux/prefetch.h>

/* ---- ext.c, ext_stack.c: extensions, and the stacks that frames meet ---- */

/* One extension on one adapter, enabled or not; in adapter->exts. */
struct vmq_ext_inst {
	struct list_head node;		/* ingress order */
	const struct vmq_ext_ops *ops;
	struct vmq_ext_user *user;	/* where it is a process, else NULL */
	bool enabled;
	bool frames;			/* counted in vmq_ext_key */
};

/* What a port's frames meet, in ingress order; replaced as a whole. */
struct vmq_stack {
	struct rcu_head rcu;
	unsigned int n;
	struct vmq_ext_port *ep[] __counted_by(n);
};

/* some extension that looks at frames is enabled somewhere */
DECLARE_STATIC_KEY_FALSE(vmq_ext_key);

/* Is some extension enabled somewhere? */
static inline bool vmq_ext_used(void)
{
	return static_branch_unlikely(&vmq_ext_key);
}

enum vmq_verdict __vmq_ext_frame(const struct vmq_stack *stack,
				 struct sk_buff *skb, enum vmq_dir dir);

enum vmq_verdict vmq_ext_frame_behind(const struct vmq_port *port,
				      const struct vmq_ext_port *ep,
				      struct sk_buff *skb);

/* Runs the extensions of a port on a frame. Context: RCU read side, BH off. */
static inline enum vmq_verdict vmq_ext_frame(const struct vmq_port *port,
					     struct sk_buff *skb,
					     enum vmq_dir dir)
{
	const struct vmq_stack *stack;

	if (!static_branch_unlikely(&vmq_ext_key))
		return VMQ_PASS;
	/* three lines, not one after the other */
	prefetch(READ_ONCE(port->near_ep));
	prefetch(READ_ONCE(port->near_priv));
	stack = rcu_dereference(port->stack);
	return stack ? __vmq_ext_frame(stack, skb, dir) : VMQ_PASS;
}

int vmq_ext_adapter_init(struct vmq_adapter *a);
void vmq_ext_adapter_destroy(struct vmq_adapter *a);
int vmq_ext_port_init(struct vmq_port *port, struct netlink_ext_ack *extack);
void vmq_ext_port_hide(struct vmq_port *port);
void vmq_ext_port_destroy(struct vmq_port *port);
int vmq_ext_enable(struct vmq_adapter *a, const char *name, bool on,
		   struct netlink_ext_ack *extack);
int vmq_ext_move(struct vmq_adapter *a, const char *name, u32 position,
		 struct netlink_ext_ack *extack);
int vmq_ext_local_add(struct vmq_adapter *a, struct vmq_ext_user *user,
		      const struct vmq_ext_ops *ops,
		      struct netlink_ext_ack *extack);
void vmq_ext_local_del(struct vmq_adapter *a, const struct vmq_ext_ops *ops);
void vmq_ext_user_exit(void);
struct vmq_ext_port *vmq_ext_port_find(struct vmq_port *port, const char *name);
u32 vmq_ext_position(const struct vmq_adapter *a,
		     const struct vmq_ext_inst *inst);
int vmq_stacks_add(struct vmq_adapter *a, struct vmq_ext_inst *inst,
		   struct netlink_ext_ack *extack);
int vmq_stacks_remove(struct vmq_adapter *a, struct vmq_ext_inst *inst);
int vmq_stacks_reorder(struct vmq_adapter *a);

/* ---- ext_veto.c: what extensions may refuse ---- */

int vmq_ext_nic_create(struct vmq_ext_port *ep, struct netlink_ext_ack *extack);
void vmq_ext_nic_delete(struct vmq_ext_port *ep);
int vmq_ext_stack_nic(struct vmq_stack *stack, struct netlink_ext_ack *extack);
int vmq_ext_property_set(struct vmq_port *port,
			 const struct vmq_property *props, unsigned int n,
			 struct netlink_ext_ack *extack);
void vmq_ext_property_undo(struct vmq_port *port,
			   const struct vmq_property *props, unsigned int n);
bool vmq_ext_holds_path(struct vmq_port *port);
unsigned int vmq_ext_mtu(const struct vmq_port *port);
void vmq_ext_mtu_follow(struct vmq_port *port);

#endif /* _VMQ_EXT_H */
