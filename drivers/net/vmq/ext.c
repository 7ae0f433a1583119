// SPDX-License-Identifier: GPL-2.0
/*
 * Extensions: the registry, and the stack of each adapter.
 *
 * adapter->exts has every registered extension, enabled or not, in ingress
 * order: class by class, within a class the most recently registered
 * first until an administrator moves it. What frames meet is the stack of
 * their port: the enabled ones in that order, replaced as a whole and read
 * under RCU. It also is where the extensions' port objects live.
 *
 * Everything here needs rtnl, but for the walk of a frame.
 */
#include <linux/module.h>
#include <linux/slab.h>

#include "vmq_priv.h"

DEFINE_STATIC_KEY_FALSE(vmq_ext_key);

/* A registered extension; in vmq_exts. */
struct vmq_ext_reg {
	struct list_head node;
	const struct vmq_ext_ops *ops;
};

static LIST_HEAD(vmq_exts);		/* rtnl; oldest first */

/**
 * __vmq_ext_frame() - runs a frame through a stack
 * @stack: extensions of the port, in ingress order
 * @skb: the frame
 * @dir: %VMQ_FROM_GUEST is ingress, %VMQ_TO_GUEST the exact reverse
 *
 * A capturing extension only watches: it can't drop.
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
		if (!ep->ops->frame)
			continue;
		verdict = ep->ops->frame(ep, skb, dir);
		if (likely(verdict == VMQ_PASS))
			continue;
		if (verdict == VMQ_DROP &&
		    ep->ops->class == VMQ_EXT_CLASS_CAPTURE)
			continue;
		return verdict;
	}
	return VMQ_PASS;
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
		if (!WARN_ON_ONCE(!ep))
			stack->ep[n++] = ep;
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
	if (ep->ops->detach)
		ep->ops->detach(ep);
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
		if (IS_ERR(ep))
			goto err_detach;
		stack->ep[n++] = ep;
	}
	rcu_assign_pointer(port->stack, stack);
	return 0;

err_detach:
	while (n)
		vmq_ext_detach(stack->ep[--n]);
	kfree(stack);
	return PTR_ERR(ep);
}

/**
 * vmq_ext_port_destroy() - takes a port from its extensions
 * @port: the port, its session killed
 *
 * Context: Process context, sleeps, rtnl held. Harmless when called again.
 */
void vmq_ext_port_destroy(struct vmq_port *port)
{
	struct vmq_stack *stack = vmq_stack_of(port);

	if (!stack)
		return;
	WARN_ON_ONCE(vmq_session_runs(port));
	RCU_INIT_POINTER(port->stack, NULL);
	synchronize_net();
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

/* ---- the extensions of one adapter ---- */

static struct vmq_ext_inst *vmq_ext_find(const struct vmq_adapter *a,
					 const char *name)
{
	struct vmq_ext_inst *inst;

	list_for_each_entry(inst, &a->exts, node)
		if (!strcmp(inst->ops->name, name))
			return inst;
	return NULL;
}

/**
 * vmq_ext_position() - place of an extension within its class
 * @a: the adapter
 * @inst: the extension on it
 *
 * Context: Process context, rtnl held.
 * Return: the place; 0 is the first on ingress.
 */
u32 vmq_ext_position(const struct vmq_adapter *a,
		     const struct vmq_ext_inst *inst)
{
	const struct vmq_ext_inst *other;
	u32 position = 0;

	list_for_each_entry(other, &a->exts, node) {
		if (other == inst)
			break;
		position += other->ops->class == inst->ops->class;
	}
	return position;
}

/* Puts it at a place within its class, or behind the last one of it. */
static void vmq_ext_insert(struct vmq_adapter *a, struct vmq_ext_inst *inst,
			   u32 position)
{
	struct vmq_ext_inst *other;

	list_for_each_entry(other, &a->exts, node) {
		if (other->ops->class < inst->ops->class)
			continue;
		if (other->ops->class > inst->ops->class || !position--)
			break;
	}
	/* before the one it stopped at; that is the list's end if it did not */
	list_add_tail(&inst->node, &other->node);
}

static int vmq_ext_appear(struct vmq_adapter *a, const struct vmq_ext_ops *ops)
{
	struct vmq_ext_inst *inst;

	inst = kzalloc(sizeof(*inst), GFP_KERNEL);
	if (!inst)
		return -ENOMEM;
	inst->ops = ops;
	vmq_ext_insert(a, inst, 0);
	return 0;
}

static void vmq_ext_vanish(struct vmq_ext_inst *inst)
{
	list_del(&inst->node);
	kfree(inst);
}

/**
 * vmq_ext_adapter_init() - gives a new adapter its extensions, disabled
 * @a: the adapter
 *
 * Context: Process context, rtnl held.
 * Return: 0 or -ENOMEM.
 */
int vmq_ext_adapter_init(struct vmq_adapter *a)
{
	struct vmq_ext_reg *reg;
	int err;

	ASSERT_RTNL();
	INIT_LIST_HEAD(&a->exts);
	/* oldest first, so that the newest ends on top */
	list_for_each_entry(reg, &vmq_exts, node) {
		err = vmq_ext_appear(a, reg->ops);
		if (err) {
			vmq_ext_adapter_destroy(a);
			return err;
		}
	}
	return 0;
}

/**
 * vmq_ext_adapter_destroy() - takes an adapter's extensions away
 * @a: the adapter, without ports
 *
 * Context: Process context, rtnl held. Harmless when called again.
 */
void vmq_ext_adapter_destroy(struct vmq_adapter *a)
{
	struct vmq_ext_inst *inst, *next;

	if (!a->exts.next)
		return;
	list_for_each_entry_safe(inst, next, &a->exts, node) {
		if (inst->enabled) {
			static_branch_dec(&vmq_ext_key);
			module_put(inst->ops->owner);
		}
		vmq_ext_vanish(inst);
	}
}

/* ---- enable, disable, move: every port of the adapter, or none ---- */

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

static int vmq_ext_switch_on(struct vmq_adapter *a, struct vmq_ext_inst *inst,
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
	}
	inst->enabled = true;
	err = vmq_ext_changes_build(c, n);
	if (err)
		goto err_disable;
	static_branch_inc(&vmq_ext_key);
	vmq_ext_changes_publish(c, n);
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

static int vmq_ext_switch_off(struct vmq_adapter *a, struct vmq_ext_inst *inst)
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
		if (!WARN_ON_ONCE(!c[i].ep))
			vmq_ext_detach(c[i].ep);
	static_branch_dec(&vmq_ext_key);
	kvfree(c);
	return 0;
}

static int vmq_ext_may_enable(const struct vmq_adapter *a,
			      const struct vmq_ext_inst *inst,
			      struct netlink_ext_ack *extack)
{
	const struct vmq_ext_inst *other;

	if (inst->ops->class != VMQ_EXT_CLASS_FORWARD)
		return 0;
	list_for_each_entry(other, &a->exts, node) {
		if (!other->enabled ||
		    other->ops->class != VMQ_EXT_CLASS_FORWARD)
			continue;
		NL_SET_ERR_MSG_FMT(extack,
				   "%s is enabled, and one may forward at a time",
				   other->ops->name);
		return -EBUSY;
	}
	return 0;
}

static int vmq_ext_may_disable(const struct vmq_adapter *a,
			       struct netlink_ext_ack *extack)
{
	struct vmq_port *port;

	/* who takes part in a save or restore can't be taken out of it */
	list_for_each_entry(port, &a->ports, node) {
		if (!vmq_session_runs(port))
			continue;
		NL_SET_ERR_MSG_FMT(extack, "a save or restore of port %s runs",
				   port->dev->name);
		return -EBUSY;
	}
	return 0;
}

/**
 * vmq_ext_enable() - enables or disables an extension on an adapter
 * @a: the adapter
 * @name: name of the extension
 * @on: enable it; no change where it is so already
 * @extack: says why not
 *
 * All ports or none: where one port is refused, no port has the extension.
 *
 * Context: Process context, sleeps, rtnl held.
 * Return: 0; -ENOENT if there is no such extension, -EBUSY if another forwarding
 * one is enabled, if the module is about to go, or if a save or restore
 * runs; the error of the extension, or -ENOMEM.
 */
int vmq_ext_enable(struct vmq_adapter *a, const char *name, bool on,
		   struct netlink_ext_ack *extack)
{
	struct vmq_ext_inst *inst = vmq_ext_find(a, name);
	int err;

	ASSERT_RTNL();
	if (!inst) {
		NL_SET_ERR_MSG(extack, "no such extension");
		return -ENOENT;
	}
	if (inst->enabled == on)
		return 0;
	if (!on) {
		err = vmq_ext_may_disable(a, extack);
		if (!err)
			err = vmq_ext_switch_off(a, inst);
		if (!err)
			module_put(inst->ops->owner);
		return err;
	}
	err = vmq_ext_may_enable(a, inst, extack);
	if (err)
		return err;
	if (!try_module_get(inst->ops->owner)) {
		NL_SET_ERR_MSG(extack, "the extension's module is being removed");
		return -EBUSY;
	}
	err = vmq_ext_switch_on(a, inst, extack);
	if (err)
		module_put(inst->ops->owner);
	return err;
}

/**
 * vmq_ext_move() - moves an extension within its class
 * @a: the adapter
 * @name: name of the extension
 * @position: its new place, 0 is the first on ingress
 * @extack: says why not
 *
 * Frames meet the extensions in the old order or in the new one, never in a
 * mixture and never fewer of them.
 *
 * Context: Process context, rtnl held.
 * Return: 0, -ENOENT if there is no such extension, -ERANGE if its class does not
 * have as many places, or -ENOMEM.
 */
int vmq_ext_move(struct vmq_adapter *a, const char *name, u32 position,
		 struct netlink_ext_ack *extack)
{
	struct vmq_ext_inst *other, *inst = vmq_ext_find(a, name);
	struct vmq_ext_change *c;
	u32 n, old, places = 0;
	int err;

	ASSERT_RTNL();
	if (!inst) {
		NL_SET_ERR_MSG(extack, "no such extension");
		return -ENOENT;
	}
	list_for_each_entry(other, &a->exts, node)
		places += other->ops->class == inst->ops->class;
	if (position >= places) {
		NL_SET_ERR_MSG_FMT(extack, "the class of %s has places 0 to %u",
				   inst->ops->name, places - 1);
		return -ERANGE;
	}
	old = vmq_ext_position(a, inst);
	if (position == old)
		return 0;
	c = vmq_ext_changes(a, &n);
	if (!c)
		return -ENOMEM;
	list_del(&inst->node);
	vmq_ext_insert(a, inst, position);
	err = vmq_ext_changes_build(c, n);
	if (err) {
		list_del(&inst->node);
		vmq_ext_insert(a, inst, old);
	} else {
		vmq_ext_changes_publish(c, n);
	}
	kvfree(c);
	return err;
}

/* ---- the registry ---- */

static int vmq_ext_check(const struct vmq_ext_ops *ops)
{
	size_t len = ops->name ? strnlen(ops->name, VMQ_EXT_NAME_MAX) : 0;

	if (!len || len >= VMQ_EXT_NAME_MAX)
		return -EINVAL;
	if (uuid_is_null(&ops->uuid) || ops->class > VMQ_EXT_CLASS_FORWARD)
		return -EINVAL;
	/* half of a save or restore is none */
	if (!ops->save_begin != !ops->save_next ||
	    (ops->save_complete && !ops->save_begin))
		return -EINVAL;
	if (!ops->apply != !ops->rollback || !ops->apply != !ops->validate ||
	    ((ops->restore_begin || ops->restore_complete) && !ops->apply))
		return -EINVAL;
	return 0;
}

static struct vmq_ext_reg *vmq_ext_reg_find(const struct vmq_ext_ops *ops)
{
	struct vmq_ext_reg *reg;

	list_for_each_entry(reg, &vmq_exts, node)
		if (reg->ops == ops)
			return reg;
	return NULL;
}

/* From all adapters; also what a register that failed half-way left. */
static void vmq_ext_withdraw(const struct vmq_ext_ops *ops)
{
	struct vmq_ext_inst *inst;
	struct vmq_adapter *a;
	struct vmq_port *port;

	list_for_each_entry(a, &vmq_adapters, node) {
		inst = vmq_ext_find(a, ops->name);
		if (!inst)
			continue;
		if (inst->enabled) {
			/* not pinned, as it has no module */
			list_for_each_entry(port, &a->ports, node)
				if (vmq_session_runs(port))
					vmq_session_abort(port, NULL);
			while (vmq_ext_switch_off(a, inst))
				cond_resched();	/* no memory */
		}
		vmq_ext_vanish(inst);
	}
}

/**
 * vmq_ext_register() - makes an extension known
 * @ops: the extension; stays until it is unregistered
 *
 * It appears on every adapter, at the top of its class, disabled.
 *
 * Context: Process context, takes rtnl.
 * Return: 0, -EINVAL for incomplete @ops, -EEXIST if an extension with this uuid
 * or name is known, or -ENOMEM.
 */
int vmq_ext_register(const struct vmq_ext_ops *ops)
{
	struct vmq_ext_reg *reg, *other;
	struct vmq_adapter *a;
	int err;

	err = vmq_ext_check(ops);
	if (err)
		return err;
	reg = kzalloc(sizeof(*reg), GFP_KERNEL);
	if (!reg)
		return -ENOMEM;
	reg->ops = ops;

	rtnl_lock();
	list_for_each_entry(other, &vmq_exts, node) {
		if (uuid_equal(&other->ops->uuid, &ops->uuid) ||
		    !strcmp(other->ops->name, ops->name)) {
			err = -EEXIST;
			goto unlock;
		}
	}
	list_for_each_entry(a, &vmq_adapters, node) {
		err = vmq_ext_appear(a, ops);
		if (err) {
			vmq_ext_withdraw(ops);
			goto unlock;
		}
	}
	list_add_tail(&reg->node, &vmq_exts);
	reg = NULL;
unlock:
	rtnl_unlock();
	kfree(reg);
	return err;
}
EXPORT_SYMBOL_GPL(vmq_ext_register);

/**
 * vmq_ext_unregister() - makes an extension unknown
 * @ops: the extension
 *
 * An extension that is a module is pinned while it is enabled, so it is enabled
 * nowhere when its exit calls this.
 *
 * Context: Process context, takes rtnl, sleeps. Harmless if it is not known.
 */
void vmq_ext_unregister(const struct vmq_ext_ops *ops)
{
	struct vmq_ext_reg *reg;

	rtnl_lock();
	reg = vmq_ext_reg_find(ops);
	if (reg) {
		list_del(&reg->node);
		vmq_ext_withdraw(ops);
	}
	rtnl_unlock();
	kfree(reg);
}
EXPORT_SYMBOL_GPL(vmq_ext_unregister);
