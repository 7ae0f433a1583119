// SPDX-License-Identifier: GPL-2.0
/*
 * What extensions may refuse of a port besides the port itself: that a NIC comes
 * on it, or comes with such an MTU, and that a property of it changes.
 *
 * They are asked in ingress order; where one refuses, what those before it had
 * granted is taken back, the last one first. One that captures is asked
 * too, as it is to know, but it can't refuse.
 */
#include "vmq_priv.h"

/* The error of an extension that may refuse, with a text. */
static int vmq_ext_refusal(const struct vmq_ext_port *ep, int err,
			   const char *what, struct netlink_ext_ack *extack)
{
	if (!err || ep->ops->class == VMQ_EXT_CLASS_CAPTURE)
		return 0;
	if (extack && !extack->_msg)
		NL_SET_ERR_MSG_FMT(extack, "%s refused %s of %s", ep->ops->name,
				   what, ep->dev->name);
	return err < 0 ? err : -EPERM;
}

/* ---- the MTU of a NIC ---- */

/**
 * vmq_ext_limit_mtu() - reserves room in the frames of a NIC
 * @ep: the port, in the extension's nic_create
 * @mtu: the most that the NIC may have, in bytes
 *
 * A NIC that is being made gets a lower MTU where it would have had a higher one,
 * never the other way round. One that is there already, as the extension is enabled
 * on its adapter only now, keeps its MTU: where that is too high, the extension is
 * refused. Until its nic_delete nobody can set a higher one.
 *
 * Since version 6 of the interface.
 *
 * Context: Process context, rtnl held.
 * Return: 0, or -ERANGE if no NIC could have so little.
 */
int vmq_ext_limit_mtu(struct vmq_ext_port *ep, unsigned int mtu)
{
	ASSERT_RTNL();
	if (mtu < max_t(unsigned int, ep->dev->min_mtu, ETH_MIN_MTU))
		return -ERANGE;
	ep->mtu = mtu;
	return 0;
}
EXPORT_SYMBOL_GPL(vmq_ext_limit_mtu);

/**
 * vmq_ext_mtu() - the highest MTU that a port may have
 * @port: the port
 *
 * Context: Process context, rtnl held.
 * Return: the adapter's MTU, or the lowest that an extension leaves of it.
 */
unsigned int vmq_ext_mtu(const struct vmq_port *port)
{
	const struct vmq_stack *stack = rtnl_dereference(port->stack);
	unsigned int mtu = port->adapter->dev->mtu;
	unsigned int i;

	for (i = 0; stack && i < stack->n; i++)
		if (stack->ep[i]->mtu)
			mtu = min(mtu, stack->ep[i]->mtu);
	return mtu;
}

/**
 * vmq_ext_mtu_follow() - brings the MTU of a port down to what it may have
 * @port: the port; its adapter's MTU, or its extensions, changed
 *
 * Context: Process context, rtnl held.
 */
void vmq_ext_mtu_follow(struct vmq_port *port)
{
	unsigned int mtu = vmq_ext_mtu(port);

	port->dev->max_mtu = mtu;
	if (port->dev->mtu > mtu)
		dev_set_mtu(port->dev, mtu);
}

/* ---- the NIC itself ---- */

/**
 * vmq_ext_nic_create() - asks an extension whether a NIC may come on a port
 * @ep: the extension on the port
 * @extack: says why not
 *
 * Context: Process context, rtnl held.
 * Return: 0 or the error of the extension.
 */
int vmq_ext_nic_create(struct vmq_ext_port *ep, struct netlink_ext_ack *extack)
{
	int err = 0;

	if (ep->ops->nic_create)
		err = ep->ops->nic_create(ep, extack);
	ep->nic = !err;
	/* one that captures takes nothing away either */
	if (err || ep->ops->class == VMQ_EXT_CLASS_CAPTURE)
		ep->mtu = 0;
	return vmq_ext_refusal(ep, err, "the NIC", extack);
}

/**
 * vmq_ext_nic_delete() - tells an extension that a port's NIC goes
 * @ep: the extension on the port
 *
 * Not where it refused it, or was not asked.
 *
 * Context: Process context, rtnl held.
 */
void vmq_ext_nic_delete(struct vmq_ext_port *ep)
{
	if (ep->nic && ep->ops->nic_delete)
		ep->ops->nic_delete(ep);
	ep->nic = false;
	ep->mtu = 0;
}

/**
 * vmq_ext_stack_nic() - asks all extensions of a port about its NIC
 * @stack: the extensions
 * @extack: says which refused
 *
 * Context: Process context, rtnl held.
 * Return: 0 or the error of the one that refused; none has it then.
 */
int vmq_ext_stack_nic(struct vmq_stack *stack, struct netlink_ext_ack *extack)
{
	unsigned int i;
	int err;

	for (i = 0; i < stack->n; i++) {
		err = vmq_ext_nic_create(stack->ep[i], extack);
		if (!err)
			continue;
		while (i--)
			vmq_ext_nic_delete(stack->ep[i]);
		return err;
	}
	return 0;
}

/* What one extension granted of the first n properties, the last one first. */
static void vmq_ext_undo(struct vmq_ext_port *ep,
			 const struct vmq_property *props, unsigned int n)
{
	if (!ep->ops->property_set || !ep->ops->property_undo)
		return;
	while (n--)
		ep->ops->property_undo(ep, &props[n]);
}

/**
 * vmq_ext_property_undo() - takes back what all extensions of a port granted
 * @port: the port
 * @props: of vmq_ext_property_set()
 * @n: how many
 *
 * Context: Process context, rtnl held since.
 */
void vmq_ext_property_undo(struct vmq_port *port,
			   const struct vmq_property *props, unsigned int n)
{
	const struct vmq_stack *stack = rtnl_dereference(port->stack);
	unsigned int i = stack ? stack->n : 0;

	while (i--)
		vmq_ext_undo(stack->ep[i], props, n);
}

/* All that one extension is asked; a refusal takes back what it had granted. */
static int vmq_ext_ask_properties(struct vmq_ext_port *ep,
				  const struct vmq_property *props,
				  unsigned int n,
				  struct netlink_ext_ack *extack)
{
	unsigned int i;
	int err;

	if (!ep->ops->property_set)
		return 0;
	for (i = 0; i < n; i++) {
		err = ep->ops->property_set(ep, &props[i], extack);
		err = vmq_ext_refusal(ep, err, "this", extack);
		if (!err)
			continue;
		vmq_ext_undo(ep, props, i);
		return err;
	}
	return 0;
}

/**
 * vmq_ext_property_set() - asks the extensions of a port about its properties
 * @port: the port
 * @props: what they shall be
 * @n: how many
 * @extack: says which extension refused
 *
 * Context: Process context, rtnl held.
 * Return: 0 or the error of the one that refused, with nothing granted.
 */
int vmq_ext_property_set(struct vmq_port *port,
			 const struct vmq_property *props, unsigned int n,
			 struct netlink_ext_ack *extack)
{
	const struct vmq_stack *stack = rtnl_dereference(port->stack);
	unsigned int i;
	int err;

	ASSERT_RTNL();
	for (i = 0; stack && i < stack->n; i++) {
		err = vmq_ext_ask_properties(stack->ep[i], props, n, extack);
		if (!err)
			continue;
		while (i--)
			vmq_ext_undo(stack->ep[i], props, n);
		return err;
	}
	return 0;
}
