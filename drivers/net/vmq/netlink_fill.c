// SPDX-License-Identifier: GPL-2.0
/*
 * Generic netlink answers: one object, one function. Each returns 0 or
 * -EMSGSIZE, and is called with rtnl held unless it says otherwise.
 */
#include "ext_user.h"
#include "gate_port.h"
#include "netlink.h"
#include "policy.h"
#include "stream.h"

/**
 * vmq_fill_dev() - says which device an answer is about
 * @msg: the message
 * @dev: the device
 *
 * Context: Process context, rtnl held or the device kept alive.
 * Return: 0 or -EMSGSIZE.
 */
int vmq_fill_dev(struct sk_buff *msg, const struct net_device *dev)
{
	/* the first two attributes of every set */
	return nla_put_u32(msg, VMQ_A_ADAPTER_IFINDEX, dev->ifindex) ||
	       nla_put_string(msg, VMQ_A_ADAPTER_DEV, dev->name) ?
	       -EMSGSIZE : 0;
}

/**
 * vmq_put_u64() - adds a number
 * @msg: the message
 * @attr: attribute
 * @value: the number
 *
 * Context: Any.
 * Return: 0 or -EMSGSIZE.
 */
int vmq_put_u64(struct sk_buff *msg, int attr, u64 value)
{
	return nla_put(msg, attr, sizeof(value), &value);
}

/**
 * vmq_put_uuid() - adds a uuid, as text
 * @msg: the message
 * @attr: attribute
 * @uuid: the uuid
 *
 * Context: Any.
 * Return: 0 or -EMSGSIZE.
 */
int vmq_put_uuid(struct sk_buff *msg, int attr, const uuid_t *uuid)
{
	char text[UUID_STRING_LEN + 1];

	snprintf(text, sizeof(text), "%pUb", uuid);
	return nla_put_string(msg, attr, text);
}

#define VMQ_CAPS_ALWAYS	(VMQ_CAPABILITY_VM_QUEUE |			\
			 VMQ_CAPABILITY_MAC_FILTER |			\
			 VMQ_CAPABILITY_VLAN_FILTER |			\
			 VMQ_CAPABILITY_VLAN_STRIP |			\
			 VMQ_CAPABILITY_RSS |				\
			 VMQ_CAPABILITY_VF |				\
			 VMQ_CAPABILITY_FILTER_MOVE |			\
			 VMQ_CAPABILITY_MODERATION |			\
			 (vmq_moder_possible() ?			\
			  VMQ_CAPABILITY_ADAPTIVE : 0) |		\
			 VMQ_CAPABILITY_ASYMMETRIC |			\
			 VMQ_CAPABILITY_VMMQ |				\
			 VMQ_CAPABILITY_WITHOUT_VFS)
#define VMQ_CAPS_NTUPLE	(VMQ_CAPABILITY_SOURCE_MAC |			\
			 VMQ_CAPABILITY_ETHERTYPE |			\
			 VMQ_CAPABILITY_MASK_EQUAL |			\
			 VMQ_CAPABILITY_NTUPLE |			\
			 VMQ_CAPABILITY_DROP)

static int vmq_fill_adapter_vfs(struct sk_buff *msg, struct vmq_adapter *a)
{
	struct vmq_pool pool;
	u32 used = 0;
	u16 i;

	vmq_adapter_pool(a, &pool);
	for (i = 0; i < a->n_vfs; i++)
		used += !!a->vfs[i]->path.user;
	if (nla_put_u32(msg, VMQ_A_ADAPTER_MAX_VFS, pool.max_vfs) ||
	    nla_put_u32(msg, VMQ_A_ADAPTER_VFS, a->n_vfs) ||
	    nla_put_u32(msg, VMQ_A_ADAPTER_VFS_IN_USE, used) ||
	    nla_put_u32(msg, VMQ_A_ADAPTER_MAX_VPORTS, pool.max_vports) ||
	    nla_put_u32(msg, VMQ_A_ADAPTER_MAX_QUEUE_PAIRS, pool.max_pairs) ||
	    nla_put_u32(msg, VMQ_A_ADAPTER_MAX_VPORT_PAIRS,
			pool.max_pairs_each) ||
	    nla_put_u32(msg, VMQ_A_ADAPTER_VPORTS,
			1 + a->vports.pf_vports + a->vports.vf_vports) ||
	    nla_put_u32(msg, VMQ_A_ADAPTER_QUEUE_PAIRS, a->vports.pairs))
		return -EMSGSIZE;
	return 0;
}

/**
 * vmq_adapter_caps() - what is switched on at an adapter now (K-04)
 * @a: the adapter
 *
 * Context: Process context, rtnl held.
 * Return: bits of enum vmq_capability.
 */
u32 vmq_adapter_caps(const struct vmq_adapter *a)
{
	u32 caps = VMQ_CAPS_ALWAYS;

	if (a->dev->features & NETIF_F_NTUPLE)
		caps |= VMQ_CAPS_NTUPLE;
	return caps;
}

/**
 * vmq_fill_adapter() - describes an adapter
 * @msg: the message
 * @a: the adapter
 *
 * Context: Process context, rtnl held.
 * Return: 0 or -EMSGSIZE.
 */
int vmq_fill_adapter(struct sk_buff *msg, struct vmq_adapter *a)
{
	struct net_device *uplink = rtnl_dereference(a->uplink);

	if (vmq_fill_dev(msg, a->dev) ||
	    (uplink && nla_put_string(msg, VMQ_A_ADAPTER_UPLINK,
				      uplink->name)) ||
	    nla_put_u32(msg, VMQ_A_ADAPTER_MAX_QUEUES, a->max_queues) ||
	    nla_put_u32(msg, VMQ_A_ADAPTER_QUEUES,
			a->dev->real_num_rx_queues) ||
	    nla_put_u32(msg, VMQ_A_ADAPTER_VM_QUEUES, a->n_vm_queues) ||
	    nla_put_u32(msg, VMQ_A_ADAPTER_PORTS, a->n_ports) ||
	    nla_put_u32(msg, VMQ_A_ADAPTER_MAX_FILTERS, VMQ_MAX_FILTERS) ||
	    nla_put_u32(msg, VMQ_A_ADAPTER_FILTERS, a->n_filters) ||
	    nla_put_u32(msg, VMQ_A_ADAPTER_HW_CAPABILITIES,
			VMQ_CAPS_ALWAYS | VMQ_CAPS_NTUPLE) ||
	    nla_put_u32(msg, VMQ_A_ADAPTER_CAPABILITIES,
			vmq_adapter_caps(a)) ||
	    nla_put_u32(msg, VMQ_A_ADAPTER_MAX_MAC_FILTERS,
			VMQ_MAX_FILTERS) ||
	    nla_put_u32(msg, VMQ_A_ADAPTER_LOOKAHEAD_MAX, 0) ||
	    nla_put_u16(msg, VMQ_A_ADAPTER_FORMAT_VERSION,
			VMQ_STREAM_VERSION) ||
	    nla_put_string(msg, VMQ_A_ADAPTER_MODULE_VERSION, VMQ_VERSION) ||
	    nla_put_u32(msg, VMQ_A_ADAPTER_UPLINK_RULES, vmq_offload_rules(a)) ||
	    vmq_fill_adapter_vfs(msg, a) ||
	    nla_put_u32(msg, VMQ_A_ADAPTER_MAX_VM_QUEUES,
			a->max_queues - 1) ||
	    nla_put_u32(msg, VMQ_A_ADAPTER_MAX_PORT_QUEUES, MAX_TAP_QUEUES) ||
	    nla_put_u8(msg, VMQ_A_ADAPTER_PRIVATE, a->private) ||
	    vmq_fill_adapter_mcast(msg, a))
		return -EMSGSIZE;
	return 0;
}

/* Who allocated a queue; nobody did the default one. */
static int vmq_fill_queue_owner(struct sk_buff *msg, const struct vmq_queue *q,
				const struct vmq_port *port)
{
	char owner[IFNAMSIZ + 8];

	if (!q->id)
		return 0;
	if (q->owner)
		snprintf(owner, sizeof(owner), "socket %u", q->owner->portid);
	else if (port)
		snprintf(owner, sizeof(owner), "port %s", port->dev->name);
	else
		strscpy(owner, q->kept ? "adapter" : "ethtool", sizeof(owner));
	return nla_put_string(msg, VMQ_A_QUEUE_OWNER, owner);
}

static int vmq_fill_queue_cpus(struct sk_buff *msg, const struct vmq_queue *q)
{
	const struct cpumask *cpus = vmq_napi_cpus(q);
	char *list;
	int err;

	if (!cpus)
		return nla_put_string(msg, VMQ_A_QUEUE_CPUS, "");
	list = kasprintf(GFP_KERNEL, "%*pbl", cpumask_pr_args(cpus));
	if (!list)
		return -ENOMEM;
	err = nla_put_string(msg, VMQ_A_QUEUE_CPUS, list);
	kfree(list);
	return err;
}

static int vmq_fill_queue_moder(struct sk_buff *msg, const struct vmq_queue *q)
{
	const struct vmq_moder *moder = vmq_moder_get(q);

	if (!moder)
		return 0;
	return nla_put_u32(msg, VMQ_A_QUEUE_RX_USECS, moder->usecs) ||
	       nla_put_u32(msg, VMQ_A_QUEUE_RX_FRAMES, moder->frames) ||
	       nla_put_u8(msg, VMQ_A_QUEUE_ADAPTIVE, moder->adaptive);
}

/**
 * vmq_fill_queue() - describes a queue
 * @msg: the message
 * @q: the queue
 *
 * Context: Process context, rtnl held.
 * Return: 0 or -EMSGSIZE.
 */
int vmq_fill_queue(struct sk_buff *msg, struct vmq_queue *q)
{
	struct vmq_adapter *a = q->adapter;
	struct vmq_stats sum = {};
	struct vmq_port *port;

	port = rcu_dereference_check(q->port, lockdep_rtnl_is_held() ||
				     lockdep_is_held(&a->lock));
	vmq_stats_sum(q->stats, &sum);
	if (vmq_fill_dev(msg, a->dev) ||
	    nla_put_u32(msg, VMQ_A_QUEUE_ID, q->id) ||
	    nla_put_u32(msg, VMQ_A_QUEUE_STATE, q->state) ||
	    nla_put_string(msg, VMQ_A_QUEUE_NAME, q->param.name) ||
	    nla_put_string(msg, VMQ_A_QUEUE_VM, q->param.vm) ||
	    vmq_fill_queue_cpus(msg, q) ||
	    nla_put_u32(msg, VMQ_A_QUEUE_MODE, vmq_napi_cpus(q) ?
			VMQ_QUEUE_MODE_QUEUED : VMQ_QUEUE_MODE_DIRECT) ||
	    nla_put_u32(msg, VMQ_A_QUEUE_BUFFERS, vmq_queue_buffers(q)) ||
	    nla_put_u8(msg, VMQ_A_QUEUE_PER_QUEUE_DELIVERY, q->param.single) ||
	    nla_put_u32(msg, VMQ_A_QUEUE_LOOKAHEAD, q->param.lookahead) ||
	    vmq_fill_queue_moder(msg, q) ||
	    nla_put_u32(msg, VMQ_A_QUEUE_FILTERS, q->filters) ||
	    (port && nla_put_string(msg, VMQ_A_QUEUE_PORT, port->dev->name)) ||
	    vmq_put_u64(msg, VMQ_A_QUEUE_RX_PACKETS, sum.rx_packets) ||
	    vmq_put_u64(msg, VMQ_A_QUEUE_RX_BYTES, sum.rx_bytes) ||
	    vmq_put_u64(msg, VMQ_A_QUEUE_RX_DROPS, sum.rx_drops) ||
	    vmq_put_u64(msg, VMQ_A_QUEUE_TX_PACKETS, sum.tx_packets) ||
	    vmq_put_u64(msg, VMQ_A_QUEUE_TX_BYTES, sum.tx_bytes) ||
	    vmq_fill_queue_owner(msg, q, port) ||
	    nla_put_u32(msg, VMQ_A_QUEUE_OPER_STATE,
			vmq_queue_oper_state(q->state)) ||
	    nla_put_u32(msg, VMQ_A_QUEUE_WAITING, vmq_fifo_waiting(&q->fifo)))
		return -EMSGSIZE;
	return 0;
}

/* A field under a mask: nothing if no bit counts, no mask if all do. */
static int vmq_put_masked(struct sk_buff *msg, int attr, const void *key,
			  const void *mask, unsigned int len)
{
	u8 full[16];

	memset(full, 0xff, sizeof(full));
	if (!memchr_inv(mask, 0, len))
		return 0;
	if (nla_put(msg, attr, len, key))
		return -EMSGSIZE;
	if (!memcmp(mask, full, len))
		return 0;
	/* every mask follows its field in the specification */
	return nla_put(msg, attr + 1, len, mask);
}

static int vmq_put_masked16(struct sk_buff *msg, int attr, __be16 key,
			    __be16 mask)
{
	u16 k = ntohs(key), m = ntohs(mask);

	return vmq_put_masked(msg, attr, &k, &m, sizeof(k));
}

static int vmq_fill_vlan(struct sk_buff *msg, const struct vmq_rule *rule)
{
	u16 tci = ntohs(rule->key.vlan), mask = ntohs(rule->mask.vlan);

	if (!mask)
		return 0;
	if (mask == VLAN_VID_MASK && !tci)
		return nla_put_flag(msg, VMQ_A_FILTER_UNTAGGED);
	if (nla_put_u16(msg, VMQ_A_FILTER_VLAN, tci))
		return -EMSGSIZE;
	if (mask == VLAN_VID_MASK)
		return 0;
	return nla_put_u16(msg, VMQ_A_FILTER_VLAN_MASK, mask);
}

static int vmq_fill_match(struct sk_buff *msg, const struct vmq_rule *rule)
{
	const struct vmq_key *k = &rule->key, *m = &rule->mask;
	unsigned int len = k->l3 == 6 ? 16 : 4;

	if (vmq_put_masked(msg, VMQ_A_FILTER_MAC, k->dst, m->dst, ETH_ALEN) ||
	    vmq_fill_vlan(msg, rule) ||
	    vmq_put_masked(msg, VMQ_A_FILTER_SRC_MAC, k->src, m->src,
			   ETH_ALEN) ||
	    vmq_put_masked16(msg, VMQ_A_FILTER_ETHERTYPE, k->ethertype,
			     m->ethertype) ||
	    vmq_put_masked(msg, VMQ_A_FILTER_SRC_IP, k->saddr, m->saddr, len) ||
	    vmq_put_masked(msg, VMQ_A_FILTER_DST_IP, k->daddr, m->daddr, len) ||
	    (m->proto && nla_put_u8(msg, VMQ_A_FILTER_IP_PROTO, k->proto)) ||
	    vmq_put_masked(msg, VMQ_A_FILTER_TOS, &k->tos, &m->tos, 1) ||
	    vmq_put_masked16(msg, VMQ_A_FILTER_SRC_PORT, k->sport, m->sport) ||
	    vmq_put_masked16(msg, VMQ_A_FILTER_DST_PORT, k->dport, m->dport))
		return -EMSGSIZE;
	return 0;
}

static int vmq_fill_filter_vf(struct sk_buff *msg, const struct vmq_filter *f)
{
	if (f->vf)
		return nla_put_u32(msg, VMQ_A_FILTER_VF, f->vf->path.id);
	return f->path ? nla_put_u32(msg, VMQ_A_FILTER_VF, f->path->id) : 0;
}

static int vmq_fill_rung(struct sk_buff *msg, const struct vmq_adapter *a,
			 const struct vmq_filter *f)
{
	char reason[VMQ_RUNG_REASON];
	u32 ring;

	vmq_filter_rung_reason(a, f, reason);
	if (nla_put_u32(msg, VMQ_A_FILTER_RUNG, vmq_filter_rung(a, f)) ||
	    (reason[0] &&
	     nla_put_string(msg, VMQ_A_FILTER_RUNG_REASON, reason)))
		return -EMSGSIZE;
	if (!f->hw)
		return 0;
	ring = ethtool_get_flow_spec_ring(f->hw->ring_cookie);
	if (nla_put_u32(msg, VMQ_A_FILTER_UPLINK_LOCATION, f->hw->location) ||
	    nla_put_u32(msg, VMQ_A_FILTER_UPLINK_QUEUE, ring))
		return -EMSGSIZE;
	return 0;
}

/**
 * vmq_fill_filter() - describes a filter
 * @msg: the message
 * @a: the adapter
 * @f: the filter
 * @event: what happened to it, or NULL
 *
 * Context: Process context, rtnl and adapter->lock held.
 * Return: 0 or -EMSGSIZE.
 */
int vmq_fill_filter(struct sk_buff *msg, struct vmq_adapter *a,
		    const struct vmq_filter *f, const char *event)
{
	char owner[IFNAMSIZ + 8] = "ethtool";
	int err;

	if (f->port && f->port->vf)
		snprintf(owner, sizeof(owner), "vf %u", f->port->vf->path.id);
	else if (f->port)
		snprintf(owner, sizeof(owner), "port %s", f->port->dev->name);
	else if (f->sock)
		snprintf(owner, sizeof(owner), "socket %u", f->sock->portid);
	else if (f->owner == VMQ_OWNER_ADAPTER)
		strscpy(owner, "adapter", sizeof(owner));
	if (vmq_fill_dev(msg, a->dev) ||
	    nla_put_u32(msg, VMQ_A_FILTER_ID, f->rule->id))
		return -EMSGSIZE;
	if (f->fs.flow_type & FLOW_RSS)
		err = nla_put_u32(msg, VMQ_A_FILTER_CONTEXT, f->context) ?:
		      (f->add ? nla_put_u32(msg, VMQ_A_FILTER_CONTEXT_QUEUE,
					    f->add) : 0);
	else if (f->queue)
		err = nla_put_u32(msg, VMQ_A_FILTER_QUEUE,
				  (f->home ?: f->queue)->id);
	else
		err = nla_put_flag(msg, VMQ_A_FILTER_DROP);
	if (err || vmq_fill_match(msg, f->rule) ||
	    nla_put_string(msg, VMQ_A_FILTER_OWNER, owner) ||
	    nla_put_u32(msg, VMQ_A_FILTER_LOCATION, f->fs.location) ||
	    vmq_fill_filter_vf(msg, f) ||
	    (event && nla_put_string(msg, VMQ_A_FILTER_EVENT, event)) ||
	    vmq_fill_rung(msg, a, f))
		return -EMSGSIZE;
	return 0;
}

static int vmq_fill_port_queues(struct sk_buff *msg,
				const struct vmq_port *port)
{
	u32 i;

	if (!port->n_queues)
		return nla_put_u32(msg, VMQ_A_PORT_QUEUES, 0);
	for (i = 0; i < port->n_queues; i++)
		if (nla_put_u32(msg, VMQ_A_PORT_QUEUES, port->queue[i]->id))
			return -EMSGSIZE;
	return 0;
}

static int vmq_fill_port_tap(struct sk_buff *msg, const struct vmq_port *port)
{
	char name[IFNAMSIZ];

	if (!port->tap_ifindex)
		return 0;
	snprintf(name, sizeof(name), "tap%d", port->tap_ifindex);
	if (nla_put_string(msg, VMQ_A_PORT_TAP, name) ||
	    nla_put_u32(msg, VMQ_A_PORT_TAP_READERS,
			READ_ONCE(port->tap.numvtaps)))
		return -EMSGSIZE;
	return READ_ONCE(port->claimed) ?
	       nla_put_flag(msg, VMQ_A_PORT_TAP_CLAIMED) : 0;
}

static int vmq_fill_port_stats(struct sk_buff *msg,
			       const struct vmq_port *port)
{
	struct vmq_stats sum = {};

	vmq_port_sum(port, 0, port->dev->num_rx_queues, &sum);
	if (vmq_put_u64(msg, VMQ_A_PORT_RX_PACKETS, sum.rx_packets) ||
	    vmq_put_u64(msg, VMQ_A_PORT_RX_BYTES, sum.rx_bytes) ||
	    vmq_put_u64(msg, VMQ_A_PORT_RX_DROPS, sum.rx_drops) ||
	    vmq_put_u64(msg, VMQ_A_PORT_TX_PACKETS, sum.tx_packets) ||
	    vmq_put_u64(msg, VMQ_A_PORT_TX_BYTES, sum.tx_bytes) ||
	    vmq_put_u64(msg, VMQ_A_PORT_TX_DROPS, sum.tx_drops) ||
	    vmq_put_u64(msg, VMQ_A_PORT_EXT_DROPS, sum.drops[VMQ_DROP_EXT] +
			sum.tx_ext_drops))
		return -EMSGSIZE;
	return 0;
}

static int vmq_fill_port_redirect(struct sk_buff *msg,
				  const struct vmq_port *port)
{
	const struct net_device *dev;
	int err = 0;

	rcu_read_lock();
	dev = rcu_dereference(port->redirect);
	if (dev)
		err = nla_put_string(msg, VMQ_A_PORT_REDIRECT, dev->name);
	rcu_read_unlock();
	return err;
}

static int vmq_fill_port_addresses(struct sk_buff *msg, struct vmq_port *port)
{
	struct vmq_known known[VMQ_KNOWN_MAX];
	unsigned int i, n;
	char text[64];
	int len;

	n = vmq_announce_known(port, known);
	for (i = 0; i < n; i++) {
		if (known[i].family == AF_INET)
			len = scnprintf(text, sizeof(text), "%pI4",
					&known[i].addr);
		else
			len = scnprintf(text, sizeof(text), "%pI6c",
					&known[i].addr);
		if (known[i].vid)
			scnprintf(text + len, sizeof(text) - len, "@%u",
				  known[i].vid);
		if (nla_put_string(msg, VMQ_A_PORT_ADDRESS, text))
			return -EMSGSIZE;
	}
	return 0;
}

static int vmq_fill_port_announce(struct sk_buff *msg, struct vmq_port *port)
{
	const struct vmq_announce *an = &port->announce;

	if (nla_put_u32(msg, VMQ_A_PORT_ANNOUNCE_COUNT,
			READ_ONCE(an->count)) ||
	    nla_put_u32(msg, VMQ_A_PORT_ANNOUNCE_INTERVAL,
			READ_ONCE(an->interval)) ||
	    vmq_put_u64(msg, VMQ_A_PORT_ANNOUNCED, READ_ONCE(an->sent)))
		return -EMSGSIZE;
	return vmq_fill_port_addresses(msg, port);
}

static int vmq_fill_port_gate(struct sk_buff *msg, struct vmq_port *port)
{
	struct vmq_gate_report gate;

	vmq_port_gate_report(port, &gate);
	if (nla_put_u32(msg, VMQ_A_PORT_GATE, gate.mode) ||
	    nla_put_u32(msg, VMQ_A_PORT_HOLD_FRAMES, gate.max_frames) ||
	    nla_put_u32(msg, VMQ_A_PORT_HOLD_BYTES, gate.max_bytes) ||
	    vmq_fill_port_redirect(msg, port) ||
	    nla_put_u32(msg, VMQ_A_PORT_WAITING_FRAMES, gate.frames) ||
	    nla_put_u32(msg, VMQ_A_PORT_WAITING_BYTES, gate.bytes) ||
	    vmq_put_u64(msg, VMQ_A_PORT_FRAMES_HELD, gate.n.held) ||
	    vmq_put_u64(msg, VMQ_A_PORT_FRAMES_DROPPED, gate.n.dropped) ||
	    vmq_put_u64(msg, VMQ_A_PORT_FRAMES_REPLAYED, gate.n.replayed) ||
	    vmq_put_u64(msg, VMQ_A_PORT_FRAMES_REDIRECTED,
			gate.n.redirected) ||
	    vmq_put_u64(msg, VMQ_A_PORT_FRAMES_NOT_FLOODED,
			gate.n.not_flooded) ||
	    vmq_put_u64(msg, VMQ_A_PORT_FRAMES_MUTED, gate.n.muted) ||
	    nla_put_u32(msg, VMQ_A_PORT_FRAMES_SAVED, gate.n.saved) ||
	    nla_put_u32(msg, VMQ_A_PORT_FRAMES_RESTORED, gate.n.restored) ||
	    vmq_put_u64(msg, VMQ_A_PORT_GAP_USECS,
			div_u64(gate.gap, NSEC_PER_USEC)))
		return -EMSGSIZE;
	return 0;
}

/* Numbers alone, as the VF itself is looked at under rtnl only. */
static int vmq_fill_port_path(struct sk_buff *msg, const struct vmq_path *path)
{
	u32 vf = READ_ONCE(path->vf_id);

	if (nla_put_u32(msg, VMQ_A_PORT_PATH, READ_ONCE(path->active) ?
			VMQ_PORT_PATH_VF : VMQ_PORT_PATH_SYNTHETIC) ||
	    nla_put_u32(msg, VMQ_A_PORT_PATH_POLICY,
			READ_ONCE(path->policy)) ||
	    nla_put_u32(msg, VMQ_A_PORT_PATH_CHANGES,
			READ_ONCE(path->changes)))
		return -EMSGSIZE;
	if (READ_ONCE(path->uplink) && nla_put_flag(msg, VMQ_A_PORT_VF_UPLINK))
		return -EMSGSIZE;
	return vf == VMQ_PATH_ANY_VF ? 0 :
	       nla_put_u32(msg, VMQ_A_PORT_VF, vf);
}

static int vmq_fill_port_policy(struct sk_buff *msg, const struct vmq_port *port)
{
	struct vmq_policy p;
	struct nlattr *attr;
	int len;

	vmq_policy_get(port, &p);
	if (nla_put_u8(msg, VMQ_A_PORT_ISOLATE, p.isolate) ||
	    nla_put_u8(msg, VMQ_A_PORT_SPOOFCHK, p.spoofchk) ||
	    (p.pvid && nla_put_u16(msg, VMQ_A_PORT_VLAN, p.pvid)))
		return -EMSGSIZE;
	if (!p.trunk)
		return 0;
	len = snprintf(NULL, 0, "%*pbl", VLAN_N_VID, p.allowed) + 1;
	attr = nla_reserve(msg, VMQ_A_PORT_TRUNK, len);
	if (!attr)
		return -EMSGSIZE;
	snprintf(nla_data(attr), len, "%*pbl", VLAN_N_VID, p.allowed);
	return 0;
}

/**
 * vmq_fill_port() - describes a port
 * @msg: the message
 * @port: the port
 *
 * Context: Process context, rtnl held or the port kept alive by its session.
 * Return: 0 or -EMSGSIZE.
 */
int vmq_fill_port(struct sk_buff *msg, struct vmq_port *port)
{
	struct vmq_report report;

	vmq_port_report(port, &report);
	if (vmq_fill_dev(msg, port->dev) ||
	    nla_put_string(msg, VMQ_A_PORT_ADAPTER, port->adapter->dev->name) ||
	    nla_put_u32(msg, VMQ_A_PORT_PORT_ID, port->id) ||
	    vmq_put_uuid(msg, VMQ_A_PORT_UUID, &port->uuid) ||
	    nla_put(msg, VMQ_A_PORT_MAC, ETH_ALEN, port->dev->dev_addr) ||
	    vmq_fill_port_queues(msg, port) ||
	    vmq_fill_port_path(msg, &port->path) ||
	    vmq_fill_port_gate(msg, port) ||
	    vmq_fill_port_announce(msg, port) ||
	    vmq_fill_port_policy(msg, port) ||
	    vmq_fill_port_mcast(msg, port) ||
	    nla_put_u32(msg, VMQ_A_PORT_MIGRATION,
			READ_ONCE(port->migration)) ||
	    vmq_fill_port_tap(msg, port) ||
	    vmq_fill_port_stats(msg, port) ||
	    nla_put_u32(msg, VMQ_A_PORT_RECORDS, report.records) ||
	    nla_put_u32(msg, VMQ_A_PORT_RECORDS_UNCLAIMED,
			report.unclaimed) ||
	    vmq_put_u64(msg, VMQ_A_PORT_STATE_BYTES, report.bytes) ||
	    vmq_put_u64(msg, VMQ_A_PORT_STATE_USECS, report.usecs) ||
	    vmq_put_u64(msg, VMQ_A_PORT_SAVE_USECS, report.save_usecs) ||
	    vmq_put_u64(msg, VMQ_A_PORT_RESTORE_USECS,
			report.restore_usecs) ||
	    (report.error[0] &&
	     nla_put_string(msg, VMQ_A_PORT_ERROR, report.error)))
		return -EMSGSIZE;
	return 0;
}

/**
 * vmq_fill_ext() - describes an extension of an adapter
 * @msg: the message
 * @a: the adapter
 * @inst: the extension on it
 *
 * Context: Process context, rtnl held.
 * Return: 0 or -EMSGSIZE.
 */
int vmq_fill_ext(struct sk_buff *msg, struct vmq_adapter *a,
		 const struct vmq_ext_inst *inst)
{
	if (vmq_fill_dev(msg, a->dev) ||
	    nla_put_string(msg, VMQ_A_EXT_NAME, inst->ops->name) ||
	    vmq_put_uuid(msg, VMQ_A_EXT_UUID, &inst->ops->uuid) ||
	    nla_put_u32(msg, VMQ_A_EXT_CLASS, inst->ops->class) ||
	    nla_put_u8(msg, VMQ_A_EXT_ENABLED, inst->enabled) ||
	    nla_put_u32(msg, VMQ_A_EXT_POSITION, vmq_ext_position(a, inst)) ||
	    nla_put_u16(msg, VMQ_A_EXT_DATA_VERSION, inst->ops->data_version) ||
	    (inst->user && nla_put_u32(msg, VMQ_A_EXT_OWNER,
				       inst->user->owner->portid)))
		return -EMSGSIZE;
	return 0;
}

/**
 * vmq_fill_record() - describes a restored record that nobody owns
 * @msg: the message
 * @port: the port
 * @ext: who wrote it
 * @class: its feature class
 * @length: its data, in bytes
 *
 * Context: Process context.
 * Return: 0 or -EMSGSIZE.
 */
int vmq_fill_record(struct sk_buff *msg, struct vmq_port *port,
		    const uuid_t *ext, const uuid_t *class, u32 length)
{
	if (vmq_fill_dev(msg, port->dev) ||
	    vmq_put_uuid(msg, VMQ_A_RECORD_EXT_UUID, ext) ||
	    vmq_put_uuid(msg, VMQ_A_RECORD_CLASS_UUID, class) ||
	    nla_put_u32(msg, VMQ_A_RECORD_LENGTH, length))
		return -EMSGSIZE;
	return 0;
}
