// SPDX-License-Identifier: GPL-2.0
/*
 * Bus "vmq": every adapter is a device on it, the parent of its netdev, and so
 * is every VF, as on PCI: sriov_totalvfs, sriov_numvfs, physfn, virtfnN, and a
 * driver that can be bound and unbound.
 *
 * The device lock of the adapter's device is held while VFs are made and
 * unmade, and rtnl is taken inside of it. Whoever holds rtnl waits for neither
 * the lock nor sysfs.
 */
#include <linux/completion.h>
#include <linux/device/bus.h>
#include <linux/idr.h>
#include <linux/refcount.h>
#include <linux/rtnetlink.h>

#include "vmq_priv.h"

struct vmq_bus_dev {
	struct device dev;
	struct vmq_adapter *adapter;	/* device lock; NULL once it is going */
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

static struct vmq_bus_dev *vmq_bus_dev_of(struct device *dev)
{
	return container_of(dev, struct vmq_bus_dev, dev);
}

/* ---- the bus, and the driver of VFs ---- */

static void vmq_vf_release(struct device *dev)
{
	struct vmq_vf *vf = vmq_vf_of(dev);

	vmq_vf_destroy(vf);
	kfree(vf);
	vmq_bus_devs_put();
}

static const struct device_type vmq_vf_type = {
	.name = "vmq_vf",
	.release = vmq_vf_release,
};

static int vmq_bus_match(struct device *dev, const struct device_driver *drv)
{
	return dev->type == &vmq_vf_type;
}

/* How rtnetlink learns of the VFs. Context: rtnl held. */
static int vmq_bus_num_vf(struct device *dev)
{
	struct vmq_adapter *a;

	if (dev->type == &vmq_vf_type)
		return 0;
	a = READ_ONCE(vmq_bus_dev_of(dev)->adapter);
	return a ? a->n_vfs : 0;
}

static const struct bus_type vmq_bus = {
	.name = "vmq",
	.match = vmq_bus_match,
	.num_vf = vmq_bus_num_vf,
};

static int vmq_vf_driver_probe(struct device *dev)
{
	int err;

	rtnl_lock();
	err = vmq_vf_probe(vmq_vf_of(dev));
	rtnl_unlock();
	return err;
}

static int vmq_vf_driver_remove(struct device *dev)
{
	rtnl_lock();
	vmq_vf_remove(vmq_vf_of(dev), NULL);
	rtnl_unlock();
	return 0;
}

static struct device_driver vmq_vf_driver = {
	.name = "vmqvf",
	.bus = &vmq_bus,
	.owner = THIS_MODULE,
	.probe = vmq_vf_driver_probe,
	.remove = vmq_vf_driver_remove,
};

/* ---- VFs ---- */

/**
 * vmq_vf_find() - the VF of a number
 * @a: the adapter
 * @id: any number
 *
 * Context: Process context, rtnl held.
 * Return: the VF or NULL.
 */
struct vmq_vf *vmq_vf_find(struct vmq_adapter *a, int id)
{
	return id >= 0 && id < a->n_vfs ? a->vfs[id] : NULL;
}

static struct vmq_vf *vmq_vf_make(struct vmq_bus_dev *bd,
				  struct vmq_adapter *a, u16 id)
{
	struct vmq_vf *vf;
	int err;

	vf = kzalloc(sizeof(*vf), GFP_KERNEL_ACCOUNT);
	if (!vf)
		return ERR_PTR(-ENOMEM);
	err = vmq_vf_init(vf, a, id);
	if (err) {
		kfree(vf);
		return ERR_PTR(err);
	}
	refcount_inc(&vmq_bus_devs);
	vf->dev.bus = &vmq_bus;
	vf->dev.type = &vmq_vf_type;
	vf->dev.parent = &bd->dev;
	device_initialize(&vf->dev);
	err = dev_set_name(&vf->dev, "%s.%u", dev_name(&bd->dev), id);
	if (err) {
		put_device(&vf->dev);
		return ERR_PTR(err);
	}
	return vf;
}

static int vmq_vf_add(struct vmq_bus_dev *bd, struct vmq_vf *vf)
{
	char name[16];
	int err;

	/* binds the driver too; a VF without a driver is a VF all the same */
	err = device_add(&vf->dev);
	if (err)
		return err;
	snprintf(name, sizeof(name), "virtfn%u", vf->path.id);
	err = sysfs_create_link(&bd->dev.kobj, &vf->dev.kobj, name);
	if (err)
		goto err_del;
	err = sysfs_create_link(&vf->dev.kobj, &bd->dev.kobj, "physfn");
	if (err)
		goto err_virtfn;
	return 0;

err_virtfn:
	sysfs_remove_link(&bd->dev.kobj, name);
err_del:
	device_del(&vf->dev);
	return err;
}

static void vmq_vf_del(struct vmq_bus_dev *bd, struct vmq_vf *vf)
{
	char name[16];

	snprintf(name, sizeof(name), "virtfn%u", vf->path.id);
	sysfs_remove_link(&bd->dev.kobj, name);
	sysfs_remove_link(&vf->dev.kobj, "physfn");
	device_del(&vf->dev);
}

/* Makes or forgets the VFs themselves; their devices come and go without rtnl. */
static int vmq_vfs_alloc(struct vmq_bus_dev *bd, struct vmq_adapter *a,
			 u16 n)
{
	struct vmq_pool pool;
	u16 i;
	int err;

	vmq_adapter_pool(a, &pool);
	a->vfs = kcalloc(n, sizeof(*a->vfs), GFP_KERNEL_ACCOUNT);
	if (!a->vfs)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		/* each has its VPort and the queue pair of it (V-32, V-36) */
		err = vmq_pool_take(&pool, &a->vports, VMQ_VPORT_VF, 1);
		if (err)
			goto err_put;
		a->vfs[i] = vmq_vf_make(bd, a, i);
		if (IS_ERR(a->vfs[i])) {
			err = PTR_ERR(a->vfs[i]);
			vmq_pool_give(&a->vports, VMQ_VPORT_VF, 1);
			goto err_put;
		}
	}
	a->n_vfs = n;
	return 0;

err_put:
	while (i--) {
		vmq_pool_give(&a->vports, VMQ_VPORT_VF, 1);
		put_device(&a->vfs[i]->dev);
	}
	kfree(a->vfs);
	a->vfs = NULL;
	return err;
}

static void vmq_vfs_free(struct vmq_bus_dev *bd, struct vmq_vf **vfs, u16 n,
			 u16 added)
{
	u16 i;

	for (i = added; i-- > 0; )
		vmq_vf_del(bd, vfs[i]);
	for (i = 0; i < n; i++)
		put_device(&vfs[i]->dev);
	kfree(vfs);
}

/* Takes the VFs off the adapter, with their netdevs. Context: rtnl held. */
static struct vmq_vf **vmq_vfs_detach(struct vmq_adapter *a)
{
	struct vmq_vf **vfs = a->vfs;
	LIST_HEAD(gone);
	u16 i;

	for (i = 0; i < a->n_vfs; i++) {
		/* a port that waits for a VF is quick to have it */
		vmq_path_lose(&vfs[i]->path);
		vmq_vf_remove(vfs[i], &gone);
		vmq_pool_give(&a->vports, VMQ_VPORT_VF, 1);
	}
	unregister_netdevice_many(&gone);
	a->n_vfs = 0;
	a->vfs = NULL;
	return vfs;
}

static int vmq_vfs_disable(struct vmq_bus_dev *bd, struct vmq_adapter *a)
{
	u16 n = a->n_vfs;
	struct vmq_vf **vfs;
	u16 i;

	for (i = 0; i < n; i++)
		if (!vmq_vf_idle(a->vfs[i])) {
			dev_warn(&bd->dev, "VF %u is in use\n", i);
			rtnl_unlock();
			return -EBUSY;
		}
	vfs = vmq_vfs_detach(a);
	rtnl_unlock();
	vmq_vfs_free(bd, vfs, n, n);
	return 0;
}

static int vmq_vfs_enable(struct vmq_bus_dev *bd, struct vmq_adapter *a,
			  u16 n)
{
	struct vmq_vf **vfs;
	u16 i;
	int err;

	err = vmq_vfs_alloc(bd, a, n);
	vfs = a->vfs;
	rtnl_unlock();
	if (err)
		return err;
	/* nobody else takes them away: the device lock is held */
	for (i = 0; i < n; i++) {
		err = vmq_vf_add(bd, vfs[i]);
		if (err)
			break;
	}
	if (!err)
		return 0;
	rtnl_lock();
	vmq_vfs_detach(a);
	rtnl_unlock();
	vmq_vfs_free(bd, vfs, n, i);
	return err;
}

/* Releases rtnl in every case. */
static int vmq_vfs_set(struct vmq_bus_dev *bd, u16 n)
{
	struct vmq_adapter *a = bd->adapter;

	/* not while the adapter is being made or is on its way out */
	if (!a || !a->registered) {
		rtnl_unlock();
		return -ENODEV;
	}
	if (n == a->n_vfs) {
		rtnl_unlock();
		return 0;
	}
	if (!n)
		return vmq_vfs_disable(bd, a);
	if (a->n_vfs) {
		dev_warn(&bd->dev, "%u VFs already enabled. Disable before enabling %u VFs\n",
			 a->n_vfs, n);
		rtnl_unlock();
		return -EBUSY;
	}
	return vmq_vfs_enable(bd, a, n);
}

static ssize_t sriov_totalvfs_show(struct device *dev,
				   struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", VMQ_MAX_VFS);
}
static DEVICE_ATTR_RO(sriov_totalvfs);

static ssize_t sriov_numvfs_show(struct device *dev,
				 struct device_attribute *attr, char *buf)
{
	struct vmq_bus_dev *bd = vmq_bus_dev_of(dev);
	u16 n;

	device_lock(dev);
	n = bd->adapter ? READ_ONCE(bd->adapter->n_vfs) : 0;
	device_unlock(dev);
	return sysfs_emit(buf, "%u\n", n);
}

static ssize_t sriov_numvfs_store(struct device *dev,
				  struct device_attribute *attr,
				  const char *buf, size_t count)
{
	u16 n;
	int err;

	if (kstrtou16(buf, 0, &n))
		return -EINVAL;
	if (n > VMQ_MAX_VFS)
		return -ERANGE;
	device_lock(dev);
	/* who holds rtnl may be waiting for this file to be left */
	if (!rtnl_trylock()) {
		device_unlock(dev);
		return restart_syscall();
	}
	err = vmq_vfs_set(vmq_bus_dev_of(dev), n);
	device_unlock(dev);
	return err ? err : count;
}
static DEVICE_ATTR_RW(sriov_numvfs);

static struct attribute *vmq_bus_dev_attrs[] = {
	&dev_attr_sriov_totalvfs.attr,
	&dev_attr_sriov_numvfs.attr,
	NULL
};
ATTRIBUTE_GROUPS(vmq_bus_dev);

/* ---- adapters ---- */

static void vmq_bus_dev_release(struct device *dev)
{
	struct vmq_bus_dev *bd = vmq_bus_dev_of(dev);

	ida_free(&vmq_bus_ids, bd->id);
	kfree(bd);
	vmq_bus_devs_put();
}

static const struct device_type vmq_adapter_type = {
	.name = "vmq_adapter",
	.groups = vmq_bus_dev_groups,
	.release = vmq_bus_dev_release,
};

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
	bd->adapter = a;
	bd->dev.bus = &vmq_bus;
	bd->dev.type = &vmq_adapter_type;
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
 * vmq_bus_del() - removes the device of an adapter, and its VFs'
 * @a: the adapter, its netdev not registered any more, and those of its VFs
 *	not either
 *
 * Context: Process context; rtnl not held, unless the adapter was never
 * registered and so has no VFs.
 */
void vmq_bus_del(struct vmq_adapter *a)
{
	struct vmq_bus_dev *bd = a->bus_dev;

	if (!bd)
		return;
	device_lock(&bd->dev);
	WRITE_ONCE(bd->adapter, NULL);
	vmq_vfs_free(bd, a->vfs, a->n_vfs, a->n_vfs);
	a->vfs = NULL;
	a->n_vfs = 0;
	device_unlock(&bd->dev);
	device_unregister(&bd->dev);
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
 * vmq_bus_init() - registers the bus and the driver of VFs
 *
 * Context: Module init.
 * Return: 0 or a negative errno.
 */
int __init vmq_bus_init(void)
{
	int err = bus_register(&vmq_bus);

	if (err)
		return err;
	err = driver_register(&vmq_vf_driver);
	if (err)
		bus_unregister(&vmq_bus);
	return err;
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
	driver_unregister(&vmq_vf_driver);
	bus_unregister(&vmq_bus);
	ida_destroy(&vmq_bus_ids);
}
