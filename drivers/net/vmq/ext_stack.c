// SPDX-License-Identifier: GPL-2.0
/*
 * What frames meet: the stack of each port.
 *
 * It has the enabled extensions in the order of adapter->exts, is replaced as a
 * whole and read under RCU, so that a frame meets the old extensions or the new
 * ones. It also is where the extensions' port objects live. Everything here
 * needs rtnl, but for the walk of a frame.
 */
#include <linux/module.h>
#include <linux/slab.h>

#include "vmq_priv.h"

DEFINE_STATIC_KEY_FALSE(vmq_ext_key);

/* A capturing extension only watches: it can't drop. */
static __always_inline enum vmq_verdict
vmq_ext_ask(struct vmq_ext_port *ep, struct sk_buff *skb, enum vmq_dir dir)
{
	const struct vmq_ext_ops *ops = ep->ops;
	enum vmq_verdict verdict;

	if (unlikely(!ops->frame))
		return VMQ_PASS;
	verdict = ops->frame(ep, skb, dir);
	if (unlikely(verdict == VMQ_DROP) &&
	    ops->class == VMQ_EXT_CLASS_CAPTURE)
		return VMQ_PASS;
	return verdict;
}

/**
 * __vmq_ext_frame() - runs a frame through a stack
 * @stack: extensions of the port, in ingress order
 * @skb: the frame
 * @dir: %VMQ_FROM_GUEST is ingress, %VMQ_TO_GUEST the exact reverse
 *
 * Context: RCU read side, BH off.
 * Return: the first verdict that is not %VMQ_PASS, or %VMQ_PASS.
 */
enum vmq_verdict __vmq_ext_frame(const struct vmq_stack *stack,
				 struct sk_buff *skb, enum vmq_dir dir)
{
	enum vmq_verdict verdict;
	struct vmq_ext_port *ep;
	unsigned int i;

	for (i = 0; i < stack->n; i++) {
		ep = stack->ep[dir == VMQ_FROM_GUEST ? i : stack->n - 1 - i];
		verdict = vmq_ext_ask(ep, skb, dir);
		if (unlikely(verdict != VMQ_PASS))
			return verdict;
	}
	return VMQ_PASS;
}

/**
 * vmq_ext_frame_behind() - runs a frame of the guest through a part of a stack
 * @port: the port
 * @ep: the extension behind which it starts
 * @skb: the frame
 *
 * Context: RCU read side, BH off.
 * Return: as __vmq_ext_frame(); %VMQ_DROP where @ep is not in the stack any more.
 */
enum vmq_verdict vmq_ext_frame_behind(const struct vmq_port *port,
				      const struct vmq_ext_port *ep,
				      struct sk_buff *skb)
{
	const struct vmq_stack *stack = rcu_dereference(port->stack);
	enum vmq_verdict verdict;
	unsigned int i = 0;

	while (stack && i < stack->n && stack->ep[i] != ep)
		i++;
	/* nobody knows any more where it was */
	if (!stack || i == stack->n)
		return VMQ_DROP;
	while (++i < stack->n) {
		verdict = vmq_ext_ask(stack->ep[i], skb, VMQ_FROM_GUEST);
		if (verdict != VMQ_PASS)
			return verdict;
	}
	return VMQ_PASS;
}

/**
 * vmq_ext_resume() - hands back a frame of the guest that was consumed
 * @ep: the extension on the port, that answered %VMQ_CONSUMED to the frame
 * @skb: the frame, as it was then: data at the network header
 * @verdict: %VMQ_PASS, and the frame goes on behind the extension as if it had
 *	passed at once; %VMQ_DROP, and the core frees and counts it
 *
 * Frames of one flow must be handed back in their order. What was consumed must
 * be handed back or freed before detach returns. A frame that the extension
 * hands back after it was taken from the port's stack is dropped, as is one of a
 * port that is down by now.
 *
 * Context: Any context but hard interrupts, neither in the frame hook nor with a
 * lock held that the hook takes.
 */
void vmq_ext_resume(struct vmq_ext_port *ep, struct sk_buff *skb,
		    enum vmq_verdict verdict)
{
	struct vmq_port *port = vmq_port_priv(ep->dev);

	local_bh_disable();
	rcu_read_lock();
	if (verdict == VMQ_PASS)
		verdict = vmq_ext_frame_behind(port, ep, skb);
	vmq_tx_resume(port, skb, verdict);
	rcu_read_unlock();
	local_bh_enable();
}
EXPORT_SYMBOL_GPL(vmq_ext_resume);

/* ---- the data path of one port ---- */

/**
 * vmq_ext_hold_path() - forces a VM off its VF, or lets it back (S-34)
 * @ep: the port, of an extension that forwards, from attach to detach
 * @hold: its frames are to go through the switch, whatever path the administrator
 *	chose; false lets them go by the VF again
 *
 * The path changes soon after, in the order S-30 or S-27. A port without a VF gets
 * none while it is held. Detach ends it.
 *
 * Context: Any.
 * Return: 0, or -EPERM if the extension is of another class.
 */
int vmq_ext_hold_path(struct vmq_ext_port *ep, bool hold)
{
	if (ep->ops->class != VMQ_EXT_CLASS_FORWARD)
		return -EPERM;
	WRITE_ONCE(ep->hold, hold);
	vmq_path_later(vmq_port_priv(ep->dev));
	return 0;
}
EXPORT_SYMBOL_GPL(vmq_ext_hold_path);

/**
 * vmq_ext_holds_path() - does an extension want a port's frames on the switch?
 * @port: the port
 *
 * Context: Process context, rtnl held.
 * Return: true if so (S-34).
 */
bool vmq_ext_holds_path(struct vmq_port *port)
{
	const struct vmq_stack *stack = rtnl_dereference(port->stack);
	unsigned int i;

	for (i = 0; stack && i < stack->n; i++)
		if (READ_ONCE(stack->ep[i]->hold))
			return true;
	return false;
}

/* ---- the stack of one port ---- */

static struct vmq_stack *vmq_stack_of(const struct vmq_port *port)
{
	return rtnl_dereference(port->stack);
}

static struct vmq_ext_port *vmq_stack_find(const struct vmq_stack *stack,
					   const struct vmq_ext_ops *ops)
{
	unsigned int i;

	for (i = 0; stack && i < stack->n; i++)
		if (stack->ep[i]->ops == ops)
			return stack->ep[i];
	return NULL;
}

/* What frames for the guest meet first; see vmq_ext_frame(). */
static void vmq_stack_near(struct vmq_port *port, const struct vmq_stack *stack)
{
	struct vmq_ext_port *ep = stack && stack->n ? stack->ep[stack->n - 1] :
						      NULL;

	WRITE_ONCE(port->near_ep, ep);
	WRITE_ONCE(port->near_priv, ep ? ep->priv : NULL);
}

/*
 * The stack that a port should have now: of each enabled extension the object
 * in the old stack, or fresh if it is that one's. *out is NULL for an empty one.
 */
static int vmq_stack_build(const struct vmq_port *port,
			   struct vmq_ext_port *fresh, struct vmq_stack **out)
{
	const struct vmq_stack *old = vmq_stack_of(port);
	const struct vmq_ext_inst *inst;
	struct vmq_ext_port *ep;
	struct vmq_stack *stack;
	unsigned int n = 0;

	list_for_each_entry(inst, &port->adapter->exts, node)
		n += inst->enabled;
	*out = NULL;
	if (!n)
		return 0;
	stack = kzalloc(struct_size(stack, ep, n), GFP_KERNEL_ACCOUNT);
	if (!stack)
		return -ENOMEM;
	stack->n = n;
	n = 0;
	list_for_each_entry(inst, &port->adapter->exts, node) {
		if (!inst->enabled)
			continue;
		if (fresh && fresh->ops == inst->ops)
			ep = fresh;
		else
			ep = vmq_stack_find(old, inst->ops);
		/* one that captures may not have taken this port */
		if (ep)
			stack->ep[n++] = ep;
		else
			WARN_ON_ONCE(inst->ops->class != VMQ_EXT_CLASS_CAPTURE);
	}
	stack->n = n;
	*out = stack;
	return 0;
}

/* The old stack goes when the last frame has left it. */
static void vmq_stack_publish(struct vmq_port *port, struct vmq_stack *stack)
{
	struct vmq_stack *old = vmq_stack_of(port);

	rcu_assign_pointer(port->stack, stack);
	vmq_stack_near(port, stack);
	if (old)
		kfree_rcu(old, rcu);
}

static struct vmq_ext_port *vmq_ext_attach(struct vmq_port *port,
					   const struct vmq_ext_ops *ops,
					   struct netlink_ext_ack *extack)
{
	struct vmq_ext_port *ep;
	int err = 0;

	ep = kzalloc(sizeof(*ep), GFP_KERNEL_ACCOUNT);
	if (!ep)
		return ERR_PTR(-ENOMEM);
	ep->dev = port->dev;
	ep->ops = ops;
	if (ops->attach)
		err = ops->attach(ep, extack);
	if (!err)
		return ep;
	if (extack && !extack->_msg)
		NL_SET_ERR_MSG_FMT(extack, "%s refused %s", ops->name,
				   port->dev->name);
	kfree(ep);
	return ERR_PTR(err < 0 ? err : -EIO);
}

static void vmq_ext_detach(struct vmq_ext_port *ep)
{
	vmq_ext_nic_delete(ep);
	if (ep->ops->detach)
		ep->ops->detach(ep);
	if (ep->hold)
		vmq_path_later(vmq_port_priv(ep->dev));
	kfree(ep);
}

/**
 * vmq_ext_port_init() - puts a new port under the adapter's extensions
 * @port: the port, not reached by frames yet
 * @extack: says which extension refused it
 *
 * Context: Process context, rtnl held.
 * Return: 0, the error of the extension that refused the port, or
 * -ENOMEM; no extension knows the port then.
 */
int vmq_ext_port_init(struct vmq_port *port, struct netlink_ext_ack *extack)
{
	const struct vmq_ext_inst *inst;
	struct vmq_stack *stack;
	struct vmq_ext_port *ep;
	unsigned int n = 0;
	int err;

	ASSERT_RTNL();
	list_for_each_entry(inst, &port->adapter->exts, node)
		n += inst->enabled;
	if (!n)
		return 0;
	stack = kzalloc(struct_size(stack, ep, n), GFP_KERNEL_ACCOUNT);
	if (!stack)
		return -ENOMEM;
	stack->n = n;
	n = 0;
	list_for_each_entry(inst, &port->adapter->exts, node) {
		if (!inst->enabled)
			continue;
		ep = vmq_ext_attach(port, inst->ops, extack);
		if (!IS_ERR(ep)) {
			stack->ep[n++] = ep;
			continue;
		}
		err = PTR_ERR(ep);
		if (inst->ops->class != VMQ_EXT_CLASS_CAPTURE)
			goto err_detach;
		/* then it does not see this port, but it can't refuse it */
		netdev_warn(port->dev, "extension %s does not take it: error %d\n",
			    inst->ops->name, err);
	}
	stack->n = n;
	err = vmq_ext_stack_nic(stack, extack);
	if (err)
		goto err_detach;
	rcu_assign_pointer(port->stack, stack);
	vmq_stack_near(port, stack);
	vmq_ext_mtu_follow(port);
	return 0;

err_detach:
	while (n)
		vmq_ext_detach(stack->ep[--n]);
	kfree(stack);
	return err;
}

/**
 * vmq_ext_port_hide() - takes a port's extensions out of the way of new frames
 * @port: the port, its session killed
 *
 * Context: Process context, rtnl held.
 */
void vmq_ext_port_hide(struct vmq_port *port)
{
	WARN_ON_ONCE(port->dead_stack || vmq_session_runs(port));
	port->dead_stack = vmq_stack_of(port);
	RCU_INIT_POINTER(port->stack, NULL);
}

/**
 * vmq_ext_port_destroy() - takes a port and its NIC from its extensions
 * @port: the port, a grace period after vmq_ext_port_hide()
 *
 * Context: Process context, rtnl held. Harmless when called again.
 */
void vmq_ext_port_destroy(struct vmq_port *port)
{
	struct vmq_stack *stack = port->dead_stack;
	unsigned int n;

	if (!stack)
		return;
	port->dead_stack = NULL;
	/* the NIC from all of them first */
	for (n = stack->n; n; n--)
		vmq_ext_nic_delete(stack->ep[n - 1]);
	while (stack->n)
		vmq_ext_detach(stack->ep[--stack->n]);
	kfree(stack);
}

/**
 * vmq_ext_port_find() - the object of an extension on a port
 * @port: the port
 * @name: name of the extension
 *
 * Context: Process context, rtnl held; the object stays as long as it is.
 * Return: the object, or NULL where the extension is not enabled.
 */
struct vmq_ext_port *vmq_ext_port_find(struct vmq_port *port, const char *name)
{
	const struct vmq_stack *stack = vmq_stack_of(port);
	unsigned int i;

	for (i = 0; stack && i < stack->n; i++)
		if (!strcmp(stack->ep[i]->ops->name, name))
			return stack->ep[i];
	return NULL;
}

/* ---- the stacks of all ports of an adapter: all of them change, or none ---- */

/* What one port is about to get, or lost. */
struct vmq_ext_change {
	struct vmq_port *port;
	struct vmq_ext_port *ep;
	struct vmq_stack *stack;
};

static struct vmq_ext_change *vmq_ext_changes(struct vmq_adapter *a, u32 *n)
{
	struct vmq_ext_change *c;
	struct vmq_port *port;
	u32 i = 0;

	*n = 0;
	list_for_each_entry(port, &a->ports, node)
		(*n)++;
	/* not NULL for an adapter without ports */
	c = kvcalloc(max(*n, 1U), sizeof(*c), GFP_KERNEL);
	if (!c)
		return NULL;
	list_for_each_entry(port, &a->ports, node)
		c[i++].port = port;
	return c;
}

static void vmq_ext_changes_publish(struct vmq_ext_change *c, u32 n)
{
	u32 i;

	for (i = 0; i < n; i++)
		vmq_stack_publish(c[i].port, c[i].stack);
}

/* Builds the stacks of all ports from the list as it is now. */
static int vmq_ext_changes_build(struct vmq_ext_change *c, u32 n)
{
	int err;
	u32 i;

	for (i = 0; i < n; i++) {
		err = vmq_stack_build(c[i].port, c[i].ep, &c[i].stack);
		if (!err)
			continue;
		while (i) {
			kfree(c[--i].stack);
			c[i].stack = NULL;
		}
		return err;
	}
	return 0;
}

/* Nobody takes away from a NIC that its guest has already. */
static int vmq_ext_mtu_fits(const struct vmq_ext_port *ep,
			    struct netlink_ext_ack *extack)
{
	if (!ep->mtu || ep->dev->mtu <= ep->mtu)
		return 0;
	NL_SET_ERR_MSG_FMT(extack, "%s leaves an MTU of %u, %s has %u",
			   ep->ops->name, ep->mtu, ep->dev->name, ep->dev->mtu);
	return -ERANGE;
}

/**
 * vmq_stacks_add() - puts an extension into the stacks of all ports
 * @a: the adapter
 * @inst: the extension, becomes enabled
 * @extack: says why not
 *
 * Context: Process context, rtnl held.
 * Return: 0, the error of the extension, or -ENOMEM; no port has it then.
 */
int vmq_stacks_add(struct vmq_adapter *a, struct vmq_ext_inst *inst,
		   struct netlink_ext_ack *extack)
{
	struct vmq_ext_change *c;
	int err = 0;
	u32 i, n;

	c = vmq_ext_changes(a, &n);
	if (!c)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		c[i].ep = vmq_ext_attach(c[i].port, inst->ops, extack);
		if (IS_ERR(c[i].ep)) {
			err = PTR_ERR(c[i].ep);
			goto err_detach;
		}
		err = vmq_ext_nic_create(c[i].ep, extack) ?:
		      vmq_ext_mtu_fits(c[i].ep, extack);
		if (err) {
			i++;
			goto err_detach;
		}
	}
	inst->enabled = true;
	err = vmq_ext_changes_build(c, n);
	if (err)
		goto err_disable;
	inst->frames = inst->ops->frame;
	if (inst->frames)
		static_branch_inc(&vmq_ext_key);
	vmq_ext_changes_publish(c, n);
	for (i = 0; i < n; i++)
		vmq_ext_mtu_follow(c[i].port);
	kvfree(c);
	return 0;

err_disable:
	inst->enabled = false;
err_detach:
	while (i)
		vmq_ext_detach(c[--i].ep);
	kvfree(c);
	return err;
}

/**
 * vmq_stacks_remove() - takes an extension from the stacks of all ports
 * @a: the adapter
 * @inst: the extension, becomes disabled
 *
 * Context: Process context, sleeps, rtnl held. It takes part in no session.
 * Return: 0 with no frame in the extension any more, or -ENOMEM with no change.
 */
int vmq_stacks_remove(struct vmq_adapter *a, struct vmq_ext_inst *inst)
{
	struct vmq_ext_change *c;
	u32 i, n;
	int err;

	c = vmq_ext_changes(a, &n);
	if (!c)
		return -ENOMEM;
	inst->enabled = false;
	err = vmq_ext_changes_build(c, n);
	if (err) {
		inst->enabled = true;
		kvfree(c);
		return err;
	}
	for (i = 0; i < n; i++)
		c[i].ep = vmq_stack_find(vmq_stack_of(c[i].port), inst->ops);
	vmq_ext_changes_publish(c, n);
	/* once for all ports: then no frame is in the extension any more */
	synchronize_net();
	for (i = 0; i < n; i++)
		if (c[i].ep)
			vmq_ext_detach(c[i].ep);
	for (i = 0; i < n; i++)
		vmq_ext_mtu_follow(c[i].port);
	if (inst->frames)
		static_branch_dec(&vmq_ext_key);
	kvfree(c);
	return 0;
}

/**
 * vmq_stacks_reorder() - brings the stacks of all ports into the list's order
 * @a: the adapter
 *
 * Context: Process context, rtnl held.
 * Return: 0, or -ENOMEM with no change.
 */
int vmq_stacks_reorder(struct vmq_adapter *a)
{
	struct vmq_ext_change *c;
	int err;
	u32 n;

	c = vmq_ext_changes(a, &n);
	if (!c)
		return -ENOMEM;
	err = vmq_ext_changes_build(c, n);
	if (!err)
		vmq_ext_changes_publish(c, n);
	kvfree(c);
	return err;
}
