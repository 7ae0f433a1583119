// SPDX-License-Identifier: GPL-2.0
/*
 * Load for the benchmark, and where it ends. Never for users.
 *
 * A netdev of link kind "vmqbench" makes frames in its NAPI poll as a driver
 * does, fresh ones, and is the end of those that are sent to it. Frames that the
 * stack delivers end in a protocol handler, those for a guest in the rings of
 * open taps, which are emptied after each poll. Every end is counted.
 *
 * Each open file of debugfs/vmq_bench is one contender's set-up. Lines written:
 *
 *   ring FD        a tap; the first is that of destination 0, and so on
 *   run KEY=VALUE...   see bench_job.c; reading gives the result
 */
#include <linux/completion.h>
#include <linux/debugfs.h>
#include <linux/etherdevice.h>
#include <linux/file.h>
#include <linux/gcd.h>
#include <linux/kthread.h>
#include <linux/if_tap.h>
#include <linux/if_tun.h>
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/ptr_ring.h>
#include <linux/sched/signal.h>
#include <linux/udp.h>
#include <linux/xarray.h>
#include <net/ip.h>
#include <net/net_namespace.h>
#include <net/rtnetlink.h>

#include "bench_job.h"

#define VMQ_BENCH_ETH_P		ETH_P_802_EX1	/* for experiments */
#define VMQ_BENCH_BURST		64
#define VMQ_BENCH_TURNS		4	/* before who waits for frames sleeps */

struct vmq_bench_file {
	struct mutex lock;		/* one command at a time */
	struct xarray rings;		/* index of destination -> file of a tap */
	struct ptr_ring **ring;
	u32 n_rings;
	struct vmq_bench_job job;
	u64 ns;
	u64 ended;
	u64 wanted;			/* ends of all frames that were sent */
};

struct vmq_bench_dev {
	struct napi_struct napi;
	struct net_device *dev;
	struct vmq_bench_file *file;
	struct completion stop;		/* the poll does not go on by itself */
	u32 sent;
	u32 at;				/* destination */
	u32 step;
	u32 train;
	u32 flow;
};

static DEFINE_MUTEX(vmq_bench_lock);	/* one run at a time */
static DEFINE_PER_CPU(u64, vmq_bench_ends);

static u64 vmq_bench_ended(void)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(*per_cpu_ptr(&vmq_bench_ends, cpu));
	return sum;
}

/* ---- ends ---- */

static int vmq_bench_sink(struct sk_buff *skb, struct net_device *dev,
			  struct packet_type *pt, struct net_device *orig_dev)
{
	this_cpu_inc(vmq_bench_ends);
	consume_skb(skb);
	return NET_RX_SUCCESS;
}

static struct packet_type vmq_bench_ptype = {
	.type = cpu_to_be16(VMQ_BENCH_ETH_P),
	.func = vmq_bench_sink,
};

static netdev_tx_t vmq_bench_xmit(struct sk_buff *skb, struct net_device *dev)
{
	/* not what the stack itself has to say, such as neighbour discovery */
	if (skb->protocol == cpu_to_be16(VMQ_BENCH_ETH_P))
		this_cpu_inc(vmq_bench_ends);
	dev_consume_skb_any(skb);
	return NETDEV_TX_OK;
}

static bool vmq_bench_is_ours(const struct sk_buff *skb)
{
	const struct iphdr *ip = (const struct iphdr *)(skb->data + ETH_HLEN);

	/* not IGMP, which the host's stack sends on its own */
	return skb->protocol == cpu_to_be16(VMQ_BENCH_ETH_P) ||
	       (skb->protocol == cpu_to_be16(ETH_P_IP) &&
		ip->protocol == IPPROTO_UDP);
}

static void vmq_bench_drain(struct ptr_ring *ring)
{
	struct sk_buff *skb;

	while ((skb = ptr_ring_consume_bh(ring))) {
		if (vmq_bench_is_ours(skb))
			this_cpu_inc(vmq_bench_ends);
		consume_skb(skb);
	}
}

/* ---- frames ---- */

/* From another address for every 32,768 flows. */
static void vmq_bench_udp(struct vmq_bench_dev *b, struct ethhdr *eth)
{
	const struct vmq_bench_job *job = &b->file->job;
	struct iphdr *ip = (struct iphdr *)(eth + 1);
	struct udphdr *udp = (struct udphdr *)(ip + 1);

	eth->h_proto = cpu_to_be16(ETH_P_IP);
	ip->version = 4;
	ip->ihl = 5;
	ip->tot_len = cpu_to_be16(job->len - ETH_HLEN);
	ip->ttl = 64;
	ip->protocol = IPPROTO_UDP;
	ip->saddr = cpu_to_be32(0x0a000001 + (b->flow >> 15));
	ip->daddr = cpu_to_be32(0x0a640001 + b->at);
	ip_send_check(ip);
	udp->source = cpu_to_be16(1024 + (b->flow & 0x7fff));
	udp->dest = cpu_to_be16(9);
	udp->len = cpu_to_be16(job->len - ETH_HLEN - sizeof(*ip));
	if (++b->flow >= job->flows)
		b->flow = 0;
}

static struct sk_buff *vmq_bench_frame(struct vmq_bench_dev *b)
{
	const struct vmq_bench_job *job = &b->file->job;
	struct sk_buff *skb;
	struct ethhdr *eth;

	skb = napi_alloc_skb(&b->napi, job->len);
	if (unlikely(!skb))
		return NULL;
	eth = skb_put(skb, job->len);
	ether_addr_copy(eth->h_dest, job->dst);
	eth->h_dest[4] += b->at >> 8;
	eth->h_dest[5] += b->at;
	ether_addr_copy(eth->h_source, job->src);
	eth->h_proto = cpu_to_be16(VMQ_BENCH_ETH_P);
	memset(eth + 1, 0, min(job->len, 60u) - ETH_HLEN);
	if (job->flows)
		vmq_bench_udp(b, eth);
	if (job->vid)
		__vlan_hwaccel_put_tag(skb, cpu_to_be16(ETH_P_8021Q),
				       job->vid + (job->vids ? b->at % job->vids : 0));
	return skb;
}

/* Each next one is far away from the last, and all come equally often. */
static void vmq_bench_next(struct vmq_bench_dev *b)
{
	/* a flow has one destination, whenever it is its turn */
	if (b->file->job.flows) {
		b->at = (u64)b->flow * b->step % b->file->job.ports;
		return;
	}
	if (++b->train < b->file->job.train)
		return;
	b->train = 0;
	b->at += b->step;
	if (b->at >= b->file->job.ports)
		b->at -= b->file->job.ports;
}

static int vmq_bench_burst(struct vmq_bench_dev *b, int budget)
{
	struct vmq_bench_file *file = b->file;
	u32 at[VMQ_BENCH_BURST];
	struct sk_buff *skb;
	int n, i;

	budget = min3(budget, VMQ_BENCH_BURST,
		      (int)min(file->job.window, file->job.frames - b->sent));
	for (n = 0; n < budget; n++) {
		skb = vmq_bench_frame(b);
		if (unlikely(!skb))
			break;
		at[n] = b->at;
		if (b->at + file->job.mute < file->job.ports)
			file->wanted += file->job.ends;
		vmq_bench_next(b);
		if (file->job.tx) {
			skb->dev = b->dev;
			skb_reset_mac_header(skb);
			skb->protocol = eth_hdr(skb)->h_proto;
			dev_queue_xmit(skb);
		} else {
			skb->protocol = eth_type_trans(skb, b->dev);
			napi_gro_receive(&b->napi, skb);
		}
	}
	b->sent += n;
	if (file->n_rings) {
		for (i = 0; i < n; i++)
			if (at[i] < file->n_rings)
				vmq_bench_drain(file->ring[at[i]]);
	}
	return n;
}

static int vmq_bench_poll(struct napi_struct *napi, int budget)
{
	struct vmq_bench_dev *b = container_of(napi, struct vmq_bench_dev, napi);
	const struct vmq_bench_job *job = &b->file->job;
	int n = vmq_bench_burst(b, budget);

	if (n == budget && b->sent < job->frames &&
	    b->file->wanted - (vmq_bench_ended() - b->file->ended) <
	    (u64)job->window * job->ends)
		return budget;
	n = min(n, budget - 1);
	napi_complete_done(napi, n);
	complete(&b->stop);
	return n;
}

/* ---- a run ---- */

/* Waits until no more than @left ends are missing, but not for ever. */
static void vmq_bench_settle(struct vmq_bench_dev *b, u64 left)
{
	const struct vmq_bench_file *file = b->file;
	unsigned long end = jiffies + HZ;
	u32 turns = 0, i;

	while (file->wanted >
	       vmq_bench_ended() - file->ended + left) {
		for (i = 0; i < file->n_rings; i++)
			vmq_bench_drain(file->ring[i]);
		if (time_after(jiffies, end) || fatal_signal_pending(current))
			break;
		/* what was left to ksoftirqd is done here, threads have their turn */
		local_bh_disable();
		local_bh_enable();
		if (++turns > VMQ_BENCH_TURNS)
			usleep_range(5, 10);
		else
			cond_resched();
	}
}

static int vmq_bench_start(struct vmq_bench_dev *b)
{
	struct vmq_bench_file *file = b->file;
	struct vmq_bench_job *job = &file->job;
	u64 window = (u64)job->window * job->ends;
	u64 start;

	b->sent = 0;
	b->at = 0;
	b->train = 0;
	b->step = max(1U, job->ports * 5 / 8);
	while (gcd(b->step, job->ports) != 1)
		b->step++;
	b->step %= max(1U, job->ports);
	/* flows go on where the last run ended, so that each of them has its turn */
	if (job->flows)
		vmq_bench_next(b);

	file->ended = vmq_bench_ended();
	file->wanted = 0;
	start = ktime_get_ns();
	while (b->sent < job->frames && !fatal_signal_pending(current)) {
		if (job->tx) {
			local_bh_disable();
			vmq_bench_burst(b, VMQ_BENCH_BURST);
			local_bh_enable();
		} else {
			reinit_completion(&b->stop);
			local_bh_disable();
			napi_schedule(&b->napi);
			local_bh_enable();
			wait_for_completion(&b->stop);
		}
		vmq_bench_settle(b, window / 2);
	}
	vmq_bench_settle(b, 0);
	file->ns = ktime_get_ns() - start;
	file->ended = vmq_bench_ended() - file->ended;
	return 0;
}

/*
 * One of several that send at once, each on a CPU of its own to a destination of its
 * own, whose frames are to end on that CPU, too.
 */
static int vmq_bench_sender(void *data)
{
	struct vmq_bench_dev *b = data;
	const struct vmq_bench_job *job = &b->file->job;
	u64 *ends = per_cpu_ptr(&vmq_bench_ends, b->at);
	unsigned long end = jiffies + 10 * HZ;
	u64 start = READ_ONCE(*ends);
	struct sk_buff *skb;
	u32 burst;

	while (b->sent < job->frames && time_before(jiffies, end)) {
		if (b->sent - (READ_ONCE(*ends) - start) > job->window) {
			cond_resched();
			continue;
		}
		local_bh_disable();
		for (burst = VMQ_BENCH_BURST; burst && b->sent < job->frames;
		     burst--) {
			skb = vmq_bench_frame(b);
			if (!skb)
				break;
			b->sent++;
			skb->protocol = eth_type_trans(skb, b->dev);
			netif_receive_skb(skb);
		}
		local_bh_enable();
		cond_resched();
	}
	complete(&b->stop);
	return 0;
}

static int vmq_bench_start_many(struct vmq_bench_file *file,
				struct net_device *dev)
{
	u32 n = file->job.cpus, made = 0, i;
	struct task_struct *task[8];
	struct vmq_bench_dev *b;
	int err = 0;
	u64 start;

	b = kcalloc(n, sizeof(*b), GFP_KERNEL);
	if (!b)
		return -ENOMEM;
	for (; made < n; made++) {
		b[made].dev = dev;
		b[made].file = file;
		b[made].at = made;
		init_completion(&b[made].stop);
		task[made] = kthread_create(vmq_bench_sender, &b[made],
					    "vmq_bench/%u", made);
		if (IS_ERR(task[made])) {
			err = PTR_ERR(task[made]);
			break;
		}
		kthread_bind(task[made], made);
		get_task_struct(task[made]);
	}
	file->ended = vmq_bench_ended();
	file->wanted = (u64)n * file->job.frames;
	start = ktime_get_ns();
	for (i = 0; i < made && !err; i++)
		wake_up_process(task[i]);
	for (i = 0; i < made; i++) {
		if (err)
			kthread_stop(task[i]);
		else
			wait_for_completion(&b[i].stop);
		put_task_struct(task[i]);
	}
	if (!err && n)
		vmq_bench_settle(&b[0], 0);
	file->ns = ktime_get_ns() - start;
	file->ended = vmq_bench_ended() - file->ended;
	kfree(b);
	return err;
}

static const struct net_device_ops vmq_bench_netdev_ops;

static int vmq_bench_run(struct vmq_bench_file *file)
{
	struct vmq_bench_dev *b, *own = NULL;
	struct net_device *dev;
	netdevice_tracker tracker;
	int err;

	dev = netdev_get_by_name(current->nsproxy->net_ns, file->job.dev,
				 &tracker, GFP_KERNEL);
	if (!dev)
		return -ENODEV;
	err = -EINVAL;
	if (file->job.tx) {
		/* frames come from the cache of a NAPI that is never scheduled */
		own = kzalloc(sizeof(*own), GFP_KERNEL);
		err = -ENOMEM;
		if (!own)
			goto out;
		b = own;
		b->dev = dev;
	} else if (dev->netdev_ops == &vmq_bench_netdev_ops) {
		b = netdev_priv(dev);
	} else {
		goto out;
	}
	err = -ENETDOWN;
	if (!netif_running(dev))
		goto out;
	mutex_lock(&vmq_bench_lock);
	b->file = file;
	err = file->job.cpus ? vmq_bench_start_many(file, dev) :
			       vmq_bench_start(b);
	b->file = NULL;
	mutex_unlock(&vmq_bench_lock);
out:
	kfree(own);
	netdev_put(dev, &tracker);
	return err;
}

/* ---- debugfs ---- */

static int vmq_bench_ring(struct vmq_bench_file *file, const char *number)
{
	struct ptr_ring *ring, **more;
	struct file *tap;
	int err;
	u32 fd;

	err = kstrtou32(strim((char *)number), 10, &fd);
	if (err)
		return err;
	tap = fget(fd);
	if (!tap)
		return -EBADF;
	ring = tap_get_ptr_ring(tap);
	if (IS_ERR(ring))
		ring = tun_get_tx_ring(tap);
	if (IS_ERR(ring)) {
		err = PTR_ERR(ring);
		goto err_file;
	}
	more = krealloc_array(file->ring, file->n_rings + 1, sizeof(*more),
			      GFP_KERNEL);
	if (!more) {
		err = -ENOMEM;
		goto err_file;
	}
	file->ring = more;
	err = xa_err(xa_store(&file->rings, file->n_rings, tap, GFP_KERNEL));
	if (err)
		goto err_file;
	file->ring[file->n_rings++] = ring;
	return 0;

err_file:
	fput(tap);
	return err;
}

static int vmq_bench_open(struct inode *inode, struct file *filp)
{
	struct vmq_bench_file *file = kzalloc(sizeof(*file), GFP_KERNEL);

	if (!file)
		return -ENOMEM;
	mutex_init(&file->lock);
	xa_init(&file->rings);
	filp->private_data = file;
	return 0;
}

static int vmq_bench_release(struct inode *inode, struct file *filp)
{
	struct vmq_bench_file *file = filp->private_data;
	struct file *tap;
	unsigned long i;

	xa_for_each(&file->rings, i, tap)
		fput(tap);
	xa_destroy(&file->rings);
	kfree(file->ring);
	kfree(file);
	return 0;
}

static ssize_t vmq_bench_write(struct file *filp, const char __user *user,
			       size_t count, loff_t *ppos)
{
	struct vmq_bench_file *file = filp->private_data;
	char *line, *rest;
	int err;

	if (count > 1024)
		return -E2BIG;
	line = memdup_user_nul(user, count);
	if (IS_ERR(line))
		return PTR_ERR(line);
	mutex_lock(&file->lock);
	rest = line;
	err = -EINVAL;
	if (!strncmp(line, "ring ", 5)) {
		err = vmq_bench_ring(file, line + 5);
	} else if (!strncmp(line, "run ", 4)) {
		rest += 4;
		err = vmq_bench_parse(&file->job, rest);
		if (!err)
			err = vmq_bench_run(file);
	}
	mutex_unlock(&file->lock);
	kfree(line);
	return err ?: count;
}

static ssize_t vmq_bench_read(struct file *filp, char __user *user,
			      size_t count, loff_t *ppos)
{
	struct vmq_bench_file *file = filp->private_data;
	char text[96];
	int len;

	len = scnprintf(text, sizeof(text), "%llu ns %llu of %llu ends\n",
			file->ns, file->ended, file->wanted);
	return simple_read_from_buffer(user, count, ppos, text, len);
}

static const struct file_operations vmq_bench_fops = {
	.owner = THIS_MODULE,
	.open = vmq_bench_open,
	.release = vmq_bench_release,
	.read = vmq_bench_read,
	.write = vmq_bench_write,
	.llseek = default_llseek,
};

/* ---- link kind "vmqbench" ---- */

static int vmq_bench_dev_open(struct net_device *dev)
{
	struct vmq_bench_dev *b = netdev_priv(dev);

	napi_enable(&b->napi);
	return 0;
}

static int vmq_bench_dev_stop(struct net_device *dev)
{
	struct vmq_bench_dev *b = netdev_priv(dev);

	napi_disable(&b->napi);
	return 0;
}

static int vmq_bench_dev_init(struct net_device *dev)
{
	struct vmq_bench_dev *b = netdev_priv(dev);

	b->dev = dev;
	init_completion(&b->stop);
	netif_napi_add(dev, &b->napi, vmq_bench_poll);
	return 0;
}

static void vmq_bench_dev_uninit(struct net_device *dev)
{
	struct vmq_bench_dev *b = netdev_priv(dev);

	netif_napi_del(&b->napi);
}

static const struct net_device_ops vmq_bench_netdev_ops = {
	.ndo_init = vmq_bench_dev_init,
	.ndo_uninit = vmq_bench_dev_uninit,
	.ndo_open = vmq_bench_dev_open,
	.ndo_stop = vmq_bench_dev_stop,
	.ndo_start_xmit = vmq_bench_xmit,
	.ndo_set_mac_address = eth_mac_addr,
	.ndo_validate_addr = eth_validate_addr,
};

static void vmq_bench_setup(struct net_device *dev)
{
	ether_setup(dev);
	eth_hw_addr_random(dev);
	dev->netdev_ops = &vmq_bench_netdev_ops;
	dev->needs_free_netdev = true;
	dev->max_mtu = 9000;
	dev->priv_flags |= IFF_NO_QUEUE | IFF_UNICAST_FLT;
	dev->lltx = true;
	dev->features |= NETIF_F_SG | NETIF_F_HW_CSUM | NETIF_F_HIGHDMA |
			 NETIF_F_GSO_SOFTWARE | NETIF_F_HW_VLAN_CTAG_TX |
			 NETIF_F_HW_VLAN_CTAG_RX;
	dev->hw_features |= dev->features;
	dev->vlan_features |= dev->features;
}

static struct rtnl_link_ops vmq_bench_link_ops = {
	.kind = "vmqbench",
	.priv_size = sizeof(struct vmq_bench_dev),
	.setup = vmq_bench_setup,
};

static struct dentry *vmq_bench_node;

static int __init vmq_bench_init(void)
{
	int err = rtnl_link_register(&vmq_bench_link_ops);

	if (err)
		return err;
	dev_add_pack(&vmq_bench_ptype);
	vmq_bench_node = debugfs_create_file("vmq_bench", 0600, NULL, NULL,
					     &vmq_bench_fops);
	return 0;
}
module_init(vmq_bench_init);

static void __exit vmq_bench_exit(void)
{
	debugfs_remove(vmq_bench_node);
	dev_remove_pack(&vmq_bench_ptype);
	rtnl_link_unregister(&vmq_bench_link_ops);
}
module_exit(vmq_bench_exit);

MODULE_DESCRIPTION("Load for vmq's benchmark, not for users");
MODULE_LICENSE("GPL");
MODULE_ALIAS_RTNL_LINK("vmqbench");
