// SPDX-License-Identifier: GPL-2.0
/*
 * Parameters of queues: what netlink asks for, whether it can be had, and the
 * record that questions are answered from.
 *
 * A change is a struct vmq_queue_param with a mask of the members that count.
 * Everything is checked and made before anything is applied, so a refusal leaves
 * the queue as it was.
 */
#include <linux/cpumask.h>

#include "vmq_priv.h"

/* What can change after allocation; the rest never can. */
#define VMQ_PARAM_CHANGEABLE	(~VMQ_PARAM_VM)

/* What a change comes to. */
struct vmq_queue_plan {
	bool queued;			/* after it */
	cpumask_var_t cpus;		/* where VMQ_PARAM_CPUS is set */
	struct vmq_moder moder;
	struct vmq_queue_napi *napi;	/* for a queue that becomes queued */
};

static u32 vmq_param_u32(const struct nlattr *attr, u32 bit, u32 *mask)
{
	if (!attr)
		return 0;
	*mask |= bit;
	return nla_get_u32(attr);
}

static u8 vmq_param_u8(const struct nlattr *attr, u32 bit, u32 *mask)
{
	if (!attr)
		return 0;
	*mask |= bit;
	return nla_get_u8(attr);
}

/**
 * vmq_queue_param_parse() - reads parameters from a request
 * @attrs: attributes of set queue, checked against their policy; they stay
 *	in use as long as @param
 * @param: set here, as far as the request has it
 * @mask: set here, VMQ_PARAM_* of the members that the request has
 * @extack: says why not
 *
 * Context: Process context.
 * Return: 0.
 */
int vmq_queue_param_parse(struct nlattr *const *attrs,
			  struct vmq_queue_param *param, u32 *mask,
			  struct netlink_ext_ack *extack)
{
	memset(param, 0, sizeof(*param));
	*mask = 0;
	if (attrs[VMQ_A_QUEUE_NAME]) {
		nla_strscpy(param->name, attrs[VMQ_A_QUEUE_NAME],
			    sizeof(param->name));
		*mask |= VMQ_PARAM_NAME;
	}
	if (attrs[VMQ_A_QUEUE_VM]) {
		nla_strscpy(param->vm, attrs[VMQ_A_QUEUE_VM],
			    sizeof(param->vm));
		*mask |= VMQ_PARAM_VM;
	}
	if (attrs[VMQ_A_QUEUE_CPUS]) {
		param->cpus = nla_data(attrs[VMQ_A_QUEUE_CPUS]);
		*mask |= VMQ_PARAM_CPUS;
	}
	param->mode = vmq_param_u32(attrs[VMQ_A_QUEUE_MODE], VMQ_PARAM_MODE,
				    mask);
	param->buffers = vmq_param_u32(attrs[VMQ_A_QUEUE_BUFFERS],
				       VMQ_PARAM_BUFFERS, mask);
	param->single = vmq_param_u8(attrs[VMQ_A_QUEUE_PER_QUEUE_DELIVERY],
				     VMQ_PARAM_SINGLE, mask);
	param->lookahead = vmq_param_u32(attrs[VMQ_A_QUEUE_LOOKAHEAD],
					 VMQ_PARAM_LOOKAHEAD, mask);
	param->moder.usecs = vmq_param_u32(attrs[VMQ_A_QUEUE_RX_USECS],
					   VMQ_PARAM_USECS, mask);
	param->moder.frames = vmq_param_u32(attrs[VMQ_A_QUEUE_RX_FRAMES],
					    VMQ_PARAM_FRAMES, mask);
	param->moder.adaptive = vmq_param_u8(attrs[VMQ_A_QUEUE_ADAPTIVE],
					     VMQ_PARAM_ADAPTIVE, mask);
	return 0;
}

/**
 * vmq_queue_reset_param() - gives a queue the parameters of a new one
 * @q: the queue, direct
 *
 * Context: Process context, adapter->lock held.
 */
void vmq_queue_reset_param(struct vmq_queue *q)
{
	memset(&q->param, 0, sizeof(q->param));
	q->lookahead = 0;
	vmq_fifo_flag(&q->fifo, VMQ_SLOW_SINGLE | VMQ_SLOW_LOOKAHEAD, false);
	vmq_fifo_bound(&q->fifo, q->adapter->ring);
}

/**
 * vmq_queue_get_param() - what was set of a queue, to be set again
 * @q: the queue
 * @param: set here; its cpus are to be freed with kfree()
 * @mask: set here, VMQ_PARAM_* of the members that are not those of a new queue
 *
 * Context: rtnl held.
 * Return: 0 or -ENOMEM.
 */
int vmq_queue_get_param(const struct vmq_queue *q,
			struct vmq_queue_param *param, u32 *mask)
{
	const struct cpumask *cpus = vmq_napi_cpus(q);

	*param = q->param;
	*mask = 0;
	param->cpus = NULL;
	if (param->name[0])
		*mask |= VMQ_PARAM_NAME;
	if (param->vm[0])
		*mask |= VMQ_PARAM_VM;
	if (param->buffers)
		*mask |= VMQ_PARAM_BUFFERS;
	if (param->single)
		*mask |= VMQ_PARAM_SINGLE;
	if (param->lookahead)
		*mask |= VMQ_PARAM_LOOKAHEAD;
	param->mode = cpus ? VMQ_QUEUE_MODE_QUEUED : VMQ_QUEUE_MODE_DIRECT;
	if (!cpus)
		return 0;
	param->cpus = kasprintf(GFP_KERNEL, "%*pbl", cpumask_pr_args(cpus));
	if (!param->cpus)
		return -ENOMEM;
	*mask |= VMQ_PARAM_CPUS;
	param->moder = *vmq_moder_get(q);
	/* who lets net_dim choose can't choose too */
	*mask |= param->moder.adaptive ? VMQ_PARAM_ADAPTIVE : VMQ_PARAM_MODER;
	return 0;
}

static struct vmq_port *vmq_param_port(const struct vmq_queue *q)
{
	return rcu_dereference_protected(q->port, lockdep_rtnl_is_held());
}

/**
 * vmq_queue_buffers() - frames that a queue may hold
 * @q: the queue
 *
 * A direct queue of a port holds them in the ring of the port's device node.
 *
 * Context: rtnl or adapter->lock held.
 * Return: the number.
 */
u32 vmq_queue_buffers(const struct vmq_queue *q)
{
	struct vmq_port *port;

	port = rcu_dereference_check(q->port, lockdep_rtnl_is_held() ||
				     lockdep_is_held(&q->adapter->lock));
	return !port || q->napi ? q->fifo.limit : port->dev->tx_queue_len;
}

/* ---- checks ---- */

static int vmq_param_check_cpus(const char *list, struct vmq_queue_plan *plan,
				struct netlink_ext_ack *extack)
{
	if (cpulist_parse(list, plan->cpus)) {
		NL_SET_ERR_MSG(extack, "cpus is not a list of CPUs");
		return -EINVAL;
	}
	if (cpumask_empty(plan->cpus)) {
		NL_SET_ERR_MSG(extack, "cpus needs at least one CPU; mode direct is for none");
		return -EINVAL;
	}
	if (!cpumask_subset(plan->cpus, cpu_possible_mask)) {
		NL_SET_ERR_MSG(extack, "cpus has a CPU that does not exist");
		return -EINVAL;
	}
	if (!cpumask_intersects(plan->cpus, cpu_online_mask)) {
		NL_SET_ERR_MSG(extack, "none of these CPUs is online");
		return -EINVAL;
	}
	return 0;
}

static int vmq_param_check_mode(const struct vmq_queue *q,
				const struct vmq_queue_param *param, u32 mask,
				struct vmq_queue_plan *plan,
				struct netlink_ext_ack *extack)
{
	bool cpus = mask & VMQ_PARAM_CPUS;

	plan->queued = cpus || q->napi;
	if (!(mask & VMQ_PARAM_MODE))
		return 0;
	if (param->mode == VMQ_QUEUE_MODE_QUEUED && !plan->queued) {
		NL_SET_ERR_MSG(extack, "mode queued needs cpus");
		return -EINVAL;
	}
	if (param->mode == VMQ_QUEUE_MODE_DIRECT && cpus) {
		NL_SET_ERR_MSG(extack, "a direct queue has no cpus");
		return -EINVAL;
	}
	plan->queued = param->mode == VMQ_QUEUE_MODE_QUEUED;
	return 0;
}

static int vmq_param_check_sizes(const struct vmq_queue *q,
				 const struct vmq_queue_param *param, u32 mask,
				 const struct vmq_queue_plan *plan,
				 struct netlink_ext_ack *extack)
{
	struct vmq_port *port = vmq_param_port(q);

	if (mask & VMQ_PARAM_BUFFERS &&
	    (!param->buffers || param->buffers > VMQ_MAX_RING)) {
		NL_SET_ERR_MSG_FMT(extack, "buffers is not within 1 and %u",
				   VMQ_MAX_RING);
		return -EINVAL;
	}
	if (mask & VMQ_PARAM_BUFFERS && !plan->queued && port &&
	    port->dev->num_rx_queues > 1) {
		NL_SET_ERR_MSG_FMT(extack, "direct queues of %s share a ring: set its txqueuelen",
				   port->dev->name);
		return -EOPNOTSUPP;
	}
	if (mask & VMQ_PARAM_LOOKAHEAD &&
	    param->lookahead > VMQ_MAX_LOOKAHEAD) {
		NL_SET_ERR_MSG_FMT(extack, "lookahead is more than %u bytes",
				   VMQ_MAX_LOOKAHEAD);
		return -EINVAL;
	}
	return 0;
}

/**
 * vmq_moder_check() - can this moderation be had? (I-09, I-10)
 * @moder: what is asked for
 * @extack: says why not
 *
 * Context: Process context.
 * Return: 0, -EINVAL for values that can't be, or -EOPNOTSUPP for adaptive
 * moderation in a kernel without net_dim.
 */
int vmq_moder_check(const struct vmq_moder *moder,
		    struct netlink_ext_ack *extack)
{
	if (moder->usecs > VMQ_MAX_USECS) {
		NL_SET_ERR_MSG_FMT(extack, "rx-usecs is more than %u",
				   VMQ_MAX_USECS);
		return -EINVAL;
	}
	if (moder->frames > VMQ_MAX_RING) {
		NL_SET_ERR_MSG_FMT(extack, "rx-frames is more than %u",
				   VMQ_MAX_RING);
		return -EINVAL;
	}
	if (moder->frames && !moder->usecs) {
		NL_SET_ERR_MSG(extack, "rx-frames needs rx-usecs, or frames could wait for ever");
		return -EINVAL;
	}
	if (moder->adaptive && !vmq_moder_possible()) {
		NL_SET_ERR_MSG(extack, "this kernel has no adaptive moderation (CONFIG_DIMLIB)");
		return -EOPNOTSUPP;
	}
	return 0;
}

static int vmq_param_check_moder(const struct vmq_queue *q,
				 const struct vmq_queue_param *param, u32 mask,
				 struct vmq_queue_plan *plan,
				 struct netlink_ext_ack *extack)
{
	const struct vmq_moder *now = vmq_moder_get(q);

	plan->moder = now ? *now : q->adapter->moder;
	if (!(mask & VMQ_PARAM_MODER))
		return 0;
	if (!plan->queued) {
		NL_SET_ERR_MSG(extack, "a direct queue delivers at once: moderation needs cpus");
		return -EOPNOTSUPP;
	}
	if (mask & VMQ_PARAM_USECS)
		plan->moder.usecs = param->moder.usecs;
	if (mask & VMQ_PARAM_FRAMES)
		plan->moder.frames = param->moder.frames;
	if (mask & VMQ_PARAM_ADAPTIVE)
		plan->moder.adaptive = param->moder.adaptive;
	if (plan->moder.adaptive &&
	    mask & (VMQ_PARAM_USECS | VMQ_PARAM_FRAMES)) {
		NL_SET_ERR_MSG(extack, "adaptive moderation chooses rx-usecs and rx-frames itself");
		return -EINVAL;
	}
	return vmq_moder_check(&plan->moder, extack);
}

static int vmq_param_check(const struct vmq_queue *q,
			   const struct vmq_queue_param *param, u32 mask,
			   struct vmq_queue_plan *plan,
			   struct netlink_ext_ack *extack)
{
	int err = 0;

	if (mask & VMQ_PARAM_CPUS)
		err = vmq_param_check_cpus(param->cpus, plan, extack);
	if (!err)
		err = vmq_param_check_mode(q, param, mask, plan, extack);
	if (!err)
		err = vmq_param_check_sizes(q, param, mask, plan, extack);
	if (!err)
		err = vmq_param_check_moder(q, param, mask, plan, extack);
	return err;
}

/* ---- changes ---- */

/* The ring of the device node has the length of the netdev's transmit queue. */
static int vmq_param_tap_ring(struct vmq_port *port, u32 buffers,
			      struct netlink_ext_ack *extack)
{
	struct net_device *dev = port->dev;
	unsigned int old = dev->tx_queue_len;
	int err;

	if (old == buffers)
		return 0;
	dev->tx_queue_len = buffers;
	err = call_netdevice_notifiers(NETDEV_CHANGE_TX_QUEUE_LEN, dev);
	err = notifier_to_errno(err);
	if (!err)
		return 0;
	dev->tx_queue_len = old;
	call_netdevice_notifiers(NETDEV_CHANGE_TX_QUEUE_LEN, dev);
	NL_SET_ERR_MSG(extack, "no memory for a ring of that size");
	return err;
}

/* What may fail, all of it or nothing: each case excludes the others. */
static int vmq_param_prepare(struct vmq_queue *q,
			     const struct vmq_queue_param *param, u32 mask,
			     struct vmq_queue_plan *plan,
			     struct netlink_ext_ack *extack)
{
	struct vmq_port *port = vmq_param_port(q);
	int err;

	if (plan->queued && !q->napi) {
		plan->napi = vmq_napi_new(q, plan->cpus);
		if (!IS_ERR(plan->napi))
			return 0;
		err = PTR_ERR(plan->napi);
		NL_SET_ERR_MSG_FMT(extack, "no thread for these CPUs: error %d",
				   -err);
		return err;
	}
	if (plan->queued && mask & VMQ_PARAM_CPUS) {
		err = vmq_napi_move(q, plan->cpus);
		if (err)
			NL_SET_ERR_MSG_FMT(extack, "the thread can't run on these CPUs: error %d",
					   -err);
		return err;
	}
	if (!plan->queued && mask & VMQ_PARAM_BUFFERS && port)
		return vmq_param_tap_ring(port, param->buffers, extack);
	return 0;
}

static void vmq_param_apply(struct vmq_queue *q,
			    const struct vmq_queue_param *param, u32 mask,
			    const struct vmq_queue_plan *plan)
{
	if (mask & VMQ_PARAM_NAME)
		strscpy(q->param.name, param->name);
	if (mask & VMQ_PARAM_VM)
		strscpy(q->param.vm, param->vm);
	if (mask & VMQ_PARAM_BUFFERS) {
		q->param.buffers = param->buffers;
		vmq_fifo_bound(&q->fifo, param->buffers);
	}
	if (mask & VMQ_PARAM_SINGLE) {
		q->param.single = param->single;
		vmq_fifo_flag(&q->fifo, VMQ_SLOW_SINGLE, param->single);
	}
	if (mask & VMQ_PARAM_LOOKAHEAD) {
		q->param.lookahead = param->lookahead;
		WRITE_ONCE(q->lookahead, param->lookahead);
		vmq_fifo_flag(&q->fifo, VMQ_SLOW_LOOKAHEAD, param->lookahead);
	}

	if (plan->napi) {
		vmq_napi_use(q, plan->napi);
		vmq_moder_set(q, &plan->moder);
	} else if (plan->queued && mask & VMQ_PARAM_MODER) {
		vmq_moder_set(q, &plan->moder);
	} else if (!plan->queued && q->napi) {
		vmq_napi_unuse(q);
		synchronize_net();
		vmq_napi_release(q);
	}
}

/**
 * vmq_queue_init_param() - sets parameters of a queue that was just allocated
 * @q: the queue
 * @param: what is asked for
 * @mask: VMQ_PARAM_* of the members that count
 * @extack: says why not
 *
 * Context: Process context, sleeps; rtnl and adapter->lock held.
 * Return: 0, or the errors of vmq_queue_set_param() but for those of the state;
 * nothing changed then.
 */
int vmq_queue_init_param(struct vmq_queue *q,
			 const struct vmq_queue_param *param, u32 mask,
			 struct netlink_ext_ack *extack)
{
	struct vmq_queue_plan plan = {};
	int err;

	ASSERT_RTNL();
	lockdep_assert_held(&q->adapter->lock);
	if (!zalloc_cpumask_var(&plan.cpus, GFP_KERNEL_ACCOUNT))
		return -ENOMEM;
	err = vmq_param_check(q, param, mask, &plan, extack);
	if (!err)
		err = vmq_param_prepare(q, param, mask, &plan, extack);
	if (!err)
		vmq_param_apply(q, param, mask, &plan);
	free_cpumask_var(plan.cpus);
	return err;
}

/**
 * vmq_queue_set_param() - changes parameters of a queue
 * @q: the queue, allocated or the default one
 * @param: what is asked for
 * @mask: VMQ_PARAM_* of the members that count; 0 changes nothing
 * @extack: says why not
 *
 * Context: Process context, sleeps; rtnl and adapter->lock held.
 * Return: 0; -EINVAL for a value that can't be or a member that can't change
 * (Q-12, Q-17, Q-19), -EOPNOTSUPP for what a queue of this mode does not have,
 * -ENOENT or -EBUSY for a queue whose state does not allow it, or -ENOMEM;
 * nothing changed then.
 */
int vmq_queue_set_param(struct vmq_queue *q,
			const struct vmq_queue_param *param, u32 mask,
			struct netlink_ext_ack *extack)
{
	int next;

	lockdep_assert_held(&q->adapter->lock);
	if (q->id) {
		next = vmq_queue_next_state(q->state, VMQ_QEV_CHANGE);
		if (next < 0) {
			NL_SET_ERR_MSG_FMT(extack, "the queue is %s",
					   next == -ENOENT ? "not allocated" :
							     "being freed");
			return next;
		}
	}
	if (mask & ~VMQ_PARAM_CHANGEABLE) {
		NL_SET_ERR_MSG(extack, "vm is set when the queue is allocated, and can't change");
		return -EINVAL;
	}
	return vmq_queue_init_param(q, param, mask, extack);
}

/**
 * vmq_queue_put_param() - makes a queue as it was
 * @q: the queue
 * @param: from vmq_queue_get_param(), all of its members
 * @tx_queue_len: of the queue's port then
 *
 * Context: Process context, sleeps; rtnl and adapter->lock held.
 * Return: 0, or an error for what could not be put back; the rest is.
 */
int vmq_queue_put_param(struct vmq_queue *q,
			const struct vmq_queue_param *param,
			unsigned int tx_queue_len)
{
	struct vmq_port *port = vmq_param_port(q);
	struct vmq_queue_param all = *param;
	u32 mask = VMQ_PARAM_NAME | VMQ_PARAM_VM | VMQ_PARAM_SINGLE |
		   VMQ_PARAM_LOOKAHEAD;
	int err;

	if (param->mode == VMQ_QUEUE_MODE_DIRECT)
		mask |= VMQ_PARAM_MODE;
	else
		mask |= VMQ_PARAM_CPUS | (param->moder.adaptive ?
					  VMQ_PARAM_ADAPTIVE :
					  VMQ_PARAM_MODER);
	err = vmq_queue_init_param(q, &all, mask, NULL);
	/* 0, which nobody can ask for, is the adapter's own number */
	q->param.buffers = param->buffers;
	vmq_fifo_bound(&q->fifo, param->buffers ?: q->adapter->ring);
	if (port)
		err = vmq_param_tap_ring(port, tx_queue_len, NULL) ?: err;
	return err;
}
