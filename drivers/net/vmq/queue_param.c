// SPDX-License-Identifier: GPL-2.0
/*
 * Parameters of queues: what netlink asks for, whether it can be had, and the
 * record that questions are answered from.
 *
 * A change is a struct vmq_queue_param with a mask of the members that count.
 * Everything is checked before anything is applied, so a refusal leaves the queue
 * as it was.
 */
#include "vmq_priv.h"

/* What can change after allocation; the rest never can. */
#define VMQ_PARAM_CHANGEABLE	VMQ_PARAM_NAME

/**
 * vmq_queue_param_parse() - reads parameters from a request
 * @attrs: attributes of set queue, checked against their policy
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
	return 0;
}

/**
 * vmq_queue_reset_param() - gives a queue the parameters of a new one
 * @q: the queue
 *
 * Context: Process context, adapter->lock held.
 */
void vmq_queue_reset_param(struct vmq_queue *q)
{
	memset(&q->param, 0, sizeof(q->param));
}

static void vmq_queue_apply(struct vmq_queue *q,
			    const struct vmq_queue_param *param, u32 mask)
{
	if (mask & VMQ_PARAM_NAME)
		strscpy(q->param.name, param->name);
	if (mask & VMQ_PARAM_VM)
		strscpy(q->param.vm, param->vm);
}

/**
 * vmq_queue_init_param() - sets parameters of a queue that was just allocated
 * @q: the queue
 * @param: what is asked for
 * @mask: VMQ_PARAM_* of the members that count
 * @extack: says why not
 *
 * Context: Process context, rtnl and adapter->lock held.
 * Return: 0, or the errors of vmq_queue_set_param() but for -EPERM; nothing
 * changed then.
 */
int vmq_queue_init_param(struct vmq_queue *q,
			 const struct vmq_queue_param *param, u32 mask,
			 struct netlink_ext_ack *extack)
{
	lockdep_assert_held(&q->adapter->lock);
	vmq_queue_apply(q, param, mask);
	return 0;
}

/**
 * vmq_queue_set_param() - changes parameters of a queue
 * @q: the queue, allocated or the default one
 * @param: what is asked for
 * @mask: VMQ_PARAM_* of the members that count; 0 changes nothing
 * @extack: says why not
 *
 * Context: Process context, rtnl and adapter->lock held.
 * Return: 0, -EINVAL for a member that can't change, -ENOENT or -EBUSY for a
 * queue whose state does not allow it; nothing changed then.
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
