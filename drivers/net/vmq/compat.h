/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Everything that depends on the kernel's version, 6.12 to 7.3: code elsewhere
 * is written for the newest.
 */
#ifndef _VMQ_COMPAT_H
#define _VMQ_COMPAT_H

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
#error "vmq needs Linux 6.12 or newer"
#endif

#include <linux/dim.h>
#include <linux/hrtimer.h>
#include <linux/netdevice.h>
#include <linux/netlink.h>
#include <net/rtnetlink.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0)
#define VMQ_HAVE_NEWLINK_PARAMS
#define VMQ_HAVE_NETNS_IMMUTABLE
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 17, 0)
#define VMQ_HAVE_RXFH_FIELDS	/* before: commands of get_rxnfc, set_rxnfc */
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
#define VMQ_HAVE_GET_RX_RING_COUNT
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 0, 0)
#define VMQ_HAVE_CLASS_NS_COMMON
#endif

/* first seen there */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 3, 0)
#define VMQ_HAVE_SET_RX_MODE_ASYNC
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
#include <net/netdev_lock.h>	/* netdev_lockdep_set_classes() */
#endif

#ifndef VMQ_HAVE_RXFH_FIELDS
struct ethtool_rxfh_fields {
	u32 data;
	u32 flow_type;
	u32 rss_context;
};
#endif

#ifndef NL_ASSERT_CTX_FITS
#define NL_ASSERT_CTX_FITS(type)	NL_ASSERT_DUMP_CTX_FITS(type)
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#define vmq_hrtimer_setup	hrtimer_setup
#else
static inline void
vmq_hrtimer_setup(struct hrtimer *timer,
		  enum hrtimer_restart (*function)(struct hrtimer *),
		  clockid_t clock_id, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock_id, mode);
	timer->function = function;
}
#endif

/* The lock that some drivers want held around their operations. */
static inline void vmq_netdev_lock_ops(struct net_device *dev)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
	netdev_lock_ops(dev);
#endif
}

static inline void vmq_netdev_unlock_ops(struct net_device *dev)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
	netdev_unlock_ops(dev);
#endif
}

/* The lock of a netdev's NAPIs; before there was one, rtnl was it. */
static inline void vmq_netdev_lock(struct net_device *dev)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 14, 0)
	netdev_lock(dev);
#endif
}

static inline void vmq_netdev_unlock(struct net_device *dev)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 14, 0)
	netdev_unlock(dev);
#endif
}

/* A NAPI whose settings outlive it, where the kernel can do that. */
static inline void vmq_netif_napi_add(struct net_device *dev,
				      struct napi_struct *napi,
				      int (*poll)(struct napi_struct *, int),
				      int index)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	netif_napi_add_config(dev, napi, poll, index);
#else
	netif_napi_add(dev, napi, poll);
#endif
}

static inline void vmq_net_dim(struct dim *dim, struct dim_sample *sample)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	net_dim(dim, sample);
#else
	net_dim(dim, *sample);
#endif
}

/* Is there anything at the ingress of a netdev, whatever the kernel has there? */
static inline bool vmq_ingress_hooked(const struct net_device *dev)
{
	bool hooked = rcu_access_pointer(dev->xdp_prog);

#ifdef CONFIG_NET_XGRESS
	hooked |= !!rcu_access_pointer(dev->tcx_ingress);
#endif
#ifdef CONFIG_NETFILTER_INGRESS
	hooked |= !!rcu_access_pointer(dev->nf_hooks_ingress);
#endif
	return hooked;
}

/* Keeps a netdev in the netns it was made in. */
static inline void vmq_netdev_pin_netns(struct net_device *dev)
{
#ifdef VMQ_HAVE_NETNS_IMMUTABLE
	dev->netns_immutable = true;
#else
	dev->netns_local = true;
#endif
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
static inline void hrtimer_setup(struct hrtimer *timer,
				 enum hrtimer_restart (*function)(struct hrtimer *),
				 clockid_t clock_id, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock_id, mode);
	timer->function = function;
}
#endif

#endif /* _VMQ_COMPAT_H */
