// SPDX-License-Identifier: GPL-2.0
/*
 * Extensions: the registry, and which of them an adapter has enabled, in which
 * order.
 *
 * adapter->exts has every registered extension, enabled or not, in ingress
 * order: class by class, within a class the most recently registered
 * first until an administrator moves it. What frames meet follows from it
 * in ext_stack.c. Everything here needs rtnl.
 */
#include <linux/module.h>
#include <linux/slab.h>

#include "ext_user.h"

/* A registered extension; in vmq_exts. */
struct vmq_ext_reg {
	struct list_head node;
	const struct vmq_ext_ops *ops;
};

static LIST_HEAD(vmq_exts);		/* rtnl; oldest first */

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

static int vmq_ext_appear(struct vmq_adapter *a, const struct vmq_ext_ops *ops,
			  struct vmq_ext_user *user)
{
	struct vmq_ext_inst *inst;

	inst = kzalloc(sizeof(*inst), GFP_KERNEL_ACCOUNT);
	if (!inst)
		return -ENOMEM;
	inst->ops = ops;
	inst->user = user;
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
		err = vmq_ext_appear(a, reg->ops, NULL);
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
	list_for_each_entry_safe(inst, next, &a->exts, node)
		if (inst->user)
			vmq_ext_user_remove(inst->user, true);
	list_for_each_entry_safe(inst, next, &a->exts, node) {
		if (inst->enabled) {
			if (inst->frames)
				static_branch_dec(&vmq_ext_key);
			module_put(inst->ops->owner);
		}
		vmq_ext_vanish(inst);
	}
}

/* Can't be told apart: uuid and name are one extension's alone. */
static bool vmq_ext_same(const struct vmq_ext_ops *x,
			 const struct vmq_ext_ops *y)
{
	return uuid_equal(&x->uuid, &y->uuid) || !strcmp(x->name, y->name);
}

/**
 * vmq_ext_local_add() - makes an extension known to one adapter, disabled
 * @a: the adapter
 * @user: the process that it is
 * @ops: the extension; stays until vmq_ext_local_del()
 * @extack: says why not
 *
 * Context: Process context, rtnl held.
 * Return: 0, -EEXIST if the adapter has one with this name or uuid, -ENOSPC
 * if it has %VMQ_EXT_USER_MAX processes, or -ENOMEM.
 */
int vmq_ext_local_add(struct vmq_adapter *a, struct vmq_ext_user *user,
		      const struct vmq_ext_ops *ops,
		      struct netlink_ext_ack *extack)
{
	const struct vmq_ext_inst *inst;
	unsigned int n = 0;

	ASSERT_RTNL();
	list_for_each_entry(inst, &a->exts, node) {
		n += !!inst->user;
		if (!vmq_ext_same(inst->ops, ops))
			continue;
		NL_SET_ERR_MSG_FMT(extack, "%s has an extension with this name or uuid",
				   a->dev->name);
		return -EEXIST;
	}
	if (n >= VMQ_EXT_USER_MAX) {
		NL_SET_ERR_MSG_FMT(extack, "%u processes are extensions already",
				   n);
		return -ENOSPC;
	}
	return vmq_ext_appear(a, ops, user);
}

/**
 * vmq_ext_local_del() - makes an extension unknown to one adapter
 * @a: the adapter
 * @ops: the extension, that no module is pinned for
 *
 * Where it is enabled, sessions go on without it.
 *
 * Context: Process context, sleeps, rtnl held. Harmless if it is not known.
 */
void vmq_ext_local_del(struct vmq_adapter *a, const struct vmq_ext_ops *ops)
{
	struct vmq_ext_inst *inst = vmq_ext_find(a, ops->name);
	struct vmq_port *port;

	ASSERT_RTNL();
	if (!inst || inst->ops != ops)
		return;
	if (inst->enabled) {
		list_for_each_entry(port, &a->ports, node)
			vmq_session_leave(port, ops);
		while (vmq_stacks_remove(a, inst))
			cond_resched();	/* no memory */
	}
	vmq_ext_vanish(inst);
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
			err = vmq_stacks_remove(a, inst);
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
	err = vmq_stacks_add(a, inst, extack);
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
	u32 old, places = 0;
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
	list_del(&inst->node);
	vmq_ext_insert(a, inst, position);
	err = vmq_stacks_reorder(a);
	if (err) {
		list_del(&inst->node);
		vmq_ext_insert(a, inst, old);
	}
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
	if (ops->property_undo && !ops->property_set)
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
	struct vmq_adapter *a;

	list_for_each_entry(a, &vmq_adapters, node)
		vmq_ext_local_del(a, ops);
}

/* A process can't keep a module out, with the module's name or uuid. */
static void vmq_ext_evict(struct vmq_adapter *a, const struct vmq_ext_ops *ops)
{
	struct vmq_ext_inst *inst, *next;

	list_for_each_entry_safe(inst, next, &a->exts, node)
		if (inst->user && vmq_ext_same(inst->ops, ops))
			vmq_ext_user_remove(inst->user, true);
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
		if (vmq_ext_same(other->ops, ops)) {
			err = -EEXIST;
			goto unlock;
		}
	}
	list_for_each_entry(a, &vmq_adapters, node) {
		vmq_ext_evict(a, ops);
		err = vmq_ext_appear(a, ops, NULL);
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
