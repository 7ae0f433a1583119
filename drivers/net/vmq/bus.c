// SPDX-License-Identifier: GPL-2.0
/*
 * Bus "vmq": every adapter is a device on it, the parent of its netdev.
 */
#include <linux/completion.h>
#include <linux/device/bus.h>
#include <linux/idr.h>
#include <linux/refcount.h>

#include "vmq_priv.h"

struct vmq_bus_dev {
	struct device dev;
	int id;
};

static DEFINE_IDA(vmq_bus_ids);

/* A device's last reference may outlive its adapter; the module must not go. */
static refcount_t vmq_bus_devs = REFCOUNT_INIT(1);
static DECLARE_COMPLETION(vmq_bus_devs_gone);

static void vmq_bus_devs_put(void)
{
	if (refcount_dec_and_test(&vmq_bus_devs))
		complete(&vmq_bus_devs_gone);
}

static const struct bus_type vmq_bus = {
	.name = "vmq",
};

static void vmq_bus_dev_release(struct device *dev)
{
	struct vmq_bus_dev *bd = container_of(dev, struct vmq_bus_dev, dev);

	ida_free(&vmq_bus_ids, bd->id);
	kfree(bd);
	vmq_bus_devs_put();
}

/**
 * vmq_bus_add() - makes the device of an adapter, the parent of its netdev
 * @a: the adapter, its netdev not registered yet
 *
 * Context: Process context.
 * Return: 0 or a negative errno.
 */
int vmq_bus_add(struct vmq_adapter *a)
{
	struct vmq_bus_dev *bd;
	int err;

	bd = kzalloc(sizeof(*bd), GFP_KERNEL_ACCOUNT);
	if (!bd)
		return -ENOMEM;
	bd->id = ida_alloc(&vmq_bus_ids, GFP_KERNEL);
	if (bd->id < 0) {
		err = bd->id;
		kfree(bd);
		return err;
	}
	refcount_inc(&vmq_bus_devs);
	bd->dev.bus = &vmq_bus;
	bd->dev.release = vmq_bus_dev_release;
	device_initialize(&bd->dev);
	err = dev_set_name(&bd->dev, "vmq%d", bd->id);
	if (!err)
		err = device_add(&bd->dev);
	if (err) {
		put_device(&bd->dev);
		return err;
	}
	a->bus_dev = bd;
	SET_NETDEV_DEV(a->dev, &bd->dev);
	return 0;
}

/**
 * vmq_bus_del() - removes the device of an adapter
 * @a: the adapter, its netdev not registered any more
 *
 * Context: Process context.
 */
void vmq_bus_del(struct vmq_adapter *a)
{
	if (!a->bus_dev)
		return;
	device_unregister(&a->bus_dev->dev);
	a->bus_dev = NULL;
}

/**
 * vmq_bus_name() - name of an adapter's device on the bus
 * @a: the adapter
 *
 * Context: Any.
 * Return: the name, valid as long as the adapter.
 */
const char *vmq_bus_name(const struct vmq_adapter *a)
{
	return dev_name(&a->bus_dev->dev);
}

/**
 * vmq_bus_init() - registers the bus
 *
 * Context: Module init.
 * Return: 0 or a negative errno.
 */
int __init vmq_bus_init(void)
{
	return bus_register(&vmq_bus);
}

/**
 * vmq_bus_exit() - unregisters the bus, which has no devices any more
 *
 * Context: Module exit.
 */
void vmq_bus_exit(void)
{
	vmq_bus_devs_put();
	wait_for_completion(&vmq_bus_devs_gone);
	bus_unregister(&vmq_bus);
	ida_destroy(&vmq_bus_ids);
}
