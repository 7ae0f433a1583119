// SPDX-License-Identifier: GPL-2.0
/*
 * Virtual machine queues: a KVM host's network adapter in software, over any
 * Ethernet uplink. This file only brings the parts up and down.
 */
#include <linux/module.h>

#include "netlink.h"
#include "rx_near.h"

static int __init vmq_init(void)
{
	int err;

	vmq_classify_init();
	err = vmq_bus_init();
	if (err)
		return err;
	err = vmq_tap_init();
	if (err)
		goto err_bus;
	err = vmq_gate_wq_init();
	if (err)
		goto err_tap;
	err = vmq_port_init();
	if (err)
		goto err_gate;
	err = vmq_uplink_init();
	if (err)
		goto err_port;
	err = vmq_vf_path_init();
	if (err)
		goto err_uplink;
	err = vmq_uplink_vfs_init();
	if (err)
		goto err_vf_path;
	err = vmq_owner_init();
	if (err)
		goto err_uplink_vfs;
	err = vmq_napi_init();
	if (err)
		goto err_owner;
	vmq_queue_kick_init();
	err = vmq_near_init();
	if (err)
		goto err_napi;
	err = vmq_nl_commit_init();
	if (err)
		goto err_near;
	err = genl_register_family(&vmq_nl_family);
	if (err)
		goto err_commit;
	err = vmq_ntf_init();
	if (err)
		goto err_genl;
	err = rtnl_link_register(&vmq_adapter_link_ops);
	if (err)
		goto err_ntf;
	err = rtnl_link_register(&vmq_port_link_ops);
	if (err)
		goto err_adapter;
	return 0;

err_adapter:
	rtnl_link_unregister(&vmq_adapter_link_ops);
err_ntf:
	vmq_ntf_exit();
err_genl:
	genl_unregister_family(&vmq_nl_family);
err_commit:
	vmq_nl_commit_exit();
err_near:
	vmq_near_exit();
err_napi:
	vmq_napi_exit();
err_owner:
	vmq_owner_exit();
err_uplink_vfs:
	vmq_uplink_vfs_exit();
err_vf_path:
	vmq_vf_path_exit();
err_uplink:
	vmq_uplink_exit();
err_port:
	vmq_port_exit();
err_gate:
	vmq_gate_wq_exit();
err_tap:
	vmq_tap_exit();
err_bus:
	vmq_bus_exit();
	return err;
}
module_init(vmq_init);

static void __exit vmq_exit(void)
{
	/* ports first, then the adapters under them */
	rtnl_link_unregister(&vmq_port_link_ops);
	rtnl_link_unregister(&vmq_adapter_link_ops);
	vmq_ntf_exit();
	genl_unregister_family(&vmq_nl_family);
	vmq_nl_commit_exit();
	vmq_near_exit();
	vmq_napi_exit();
	vmq_ext_user_exit();
	vmq_owner_exit();
	vmq_uplink_vfs_exit();
	vmq_vf_path_exit();
	vmq_uplink_exit();
	vmq_port_exit();
	vmq_gate_wq_exit();
	vmq_tap_exit();
	vmq_bus_exit();
	/* rules, stacks and the like that wait for their grace period */
	rcu_barrier();
}
module_exit(vmq_exit);

MODULE_DESCRIPTION("Virtual machine queues: VM queues, switch ports and their state on a host's NIC");
MODULE_AUTHOR("The vmq maintainers");
MODULE_LICENSE("GPL");
MODULE_VERSION(VMQ_VERSION);
MODULE_ALIAS_RTNL_LINK("vmq");
MODULE_ALIAS_RTNL_LINK("vmqport");
MODULE_ALIAS_GENL_FAMILY(VMQ_FAMILY_NAME);
