// SPDX-License-Identifier: GPL-2.0
/*
 * What a user set of the queues of a port moves with the port: names, buffers,
 * delivery, lookahead, moderation, and CPUs as a hint. Its record is in
 * state_tlv_queue.c.
 */
#include <linux/cpumask.h>
#include <linux/slab.h>

#include "state.h"

/* ---- save ---- */

/* Frames that a direct queue may hold are the port's, where it has several. */
static bool vmq_core_queue_own_buffers(const struct vmq_port *port,
				       const struct vmq_core_queue *out)
{
	return out->set & VMQ_CORE_Q_QUEUED || port->dev->num_rx_queues == 1;
}

static int vmq_core_queue_read(const struct vmq_port *port,
			       const struct vmq_queue *q,
			       struct vmq_core_queue *out)
{
	struct vmq_queue_param param;
	u32 mask;
	int err;

	err = vmq_queue_get_param(q, &param, &mask);
	if (err)
		return err;
	memset(out, 0, sizeof(*out));
	out->index = q->index;
	/* the name that a port gave it is that of the port, which may differ */
	if (mask & VMQ_PARAM_NAME && strcmp(param.name, port->dev->name)) {
		out->set |= VMQ_CORE_Q_NAME;
		strscpy(out->name, param.name);
	}
	if (mask & VMQ_PARAM_VM) {
		out->set |= VMQ_CORE_Q_VM;
		strscpy(out->vm, param.vm);
	}
	if (mask & VMQ_PARAM_CPUS) {
		out->set |= VMQ_CORE_Q_QUEUED;
		/* a hint that is too long is none */
		if (strscpy(out->cpus, param.cpus) < 0)
			out->cpus[0] = 0;
	}
	if (mask & VMQ_PARAM_BUFFERS &&
	    vmq_core_queue_own_buffers(port, out)) {
		out->set |= VMQ_CORE_Q_BUFFERS;
		out->buffers = param.buffers;
	}
	if (mask & VMQ_PARAM_SINGLE)
		out->set |= VMQ_CORE_Q_SINGLE;
	if (mask & VMQ_PARAM_LOOKAHEAD) {
		out->set |= VMQ_CORE_Q_LOOKAHEAD;
		out->lookahead = param.lookahead;
	}
	if (mask & VMQ_PARAM_CPUS && param.moder.adaptive) {
		out->set |= VMQ_CORE_Q_ADAPTIVE;
	} else if (mask & VMQ_PARAM_CPUS) {
		out->set |= VMQ_CORE_Q_MODER;
		out->usecs = param.moder.usecs;
		out->frames = param.moder.frames;
	}
	kfree(param.cpus);
	return 0;
}

/**
 * vmq_core_queue_save() - what was set of the queues of a port
 * @port: the port
 * @st: the record; its settings of queues are set
 * @extack: says why not
 *
 * Context: Process context, rtnl held.
 * Return: 0, -E2BIG for more text than moves, or -ENOMEM.
 */
int vmq_core_queue_save(struct vmq_port *port, struct vmq_core_state *st,
			struct netlink_ext_ack *extack)
{
	struct vmq_core_queue *q;
	int err;
	u32 i;

	if (!port->n_queues)
		return 0;
	st->params = kvcalloc(port->n_queues, sizeof(*st->params),
			      GFP_KERNEL_ACCOUNT);
	if (!st->params)
		return -ENOMEM;
	for (i = 0; i < port->n_queues; i++) {
		q = &st->params[st->n_params];
		err = vmq_core_queue_read(port, port->queue[i], q);
		if (err)
			return err;
		st->n_params += !!q->set;
	}
	if (vmq_core_queue_len(st->params, st->n_params) <=
	    VMQ_CORE_MAX_PARAMS)
		return 0;
	NL_SET_ERR_MSG_FMT(extack, "settings of %u queues of %s are more than %u bytes",
			   st->n_params, port->dev->name, VMQ_CORE_MAX_PARAMS);
	return -E2BIG;
}

/* ---- restore ---- */

struct vmq_core_queue_past {
	struct vmq_queue_param param;
	u32 mask;
};

/* As many of its CPUs as there are here, or any where there is none of them. */
static char *vmq_core_queue_cpus(const char *cpus)
{
	cpumask_var_t mask;
	char *list;

	if (!zalloc_cpumask_var(&mask, GFP_KERNEL))
		return NULL;
	if (cpulist_parse(cpus, mask) ||
	    !cpumask_and(mask, mask, cpu_online_mask))
		cpumask_copy(mask, cpu_online_mask);
	list = kasprintf(GFP_KERNEL, "%*pbl", cpumask_pr_args(mask));
	free_cpumask_var(mask);
	return list;
}

static int vmq_core_queue_set(struct vmq_port *port, struct vmq_queue *q,
			      const struct vmq_core_queue *in,
			      struct netlink_ext_ack *extack)
{
	struct vmq_queue_param param = {
		.buffers = in->buffers,
		.lookahead = in->lookahead,
		.single = true,
		.moder = { .usecs = in->usecs, .frames = in->frames },
	};
	u32 mask = 0;
	int err;

	strscpy(param.name, in->name);
	strscpy(param.vm, in->vm);
	if (in->set & VMQ_CORE_Q_NAME)
		mask |= VMQ_PARAM_NAME;
	if (in->set & VMQ_CORE_Q_VM)
		mask |= VMQ_PARAM_VM;
	if (in->set & VMQ_CORE_Q_QUEUED) {
		param.cpus = vmq_core_queue_cpus(in->cpus);
		if (!param.cpus)
			return -ENOMEM;
		mask |= VMQ_PARAM_CPUS;
	}
	if (in->set & VMQ_CORE_Q_BUFFERS &&
	    (q->napi || vmq_core_queue_own_buffers(port, in)))
		mask |= VMQ_PARAM_BUFFERS;
	if (in->set & VMQ_CORE_Q_SINGLE)
		mask |= VMQ_PARAM_SINGLE;
	if (in->set & VMQ_CORE_Q_LOOKAHEAD)
		mask |= VMQ_PARAM_LOOKAHEAD;
	if (in->set & VMQ_CORE_Q_MODER)
		mask |= VMQ_PARAM_MODER;
	if (in->set & VMQ_CORE_Q_ADAPTIVE) {
		mask |= VMQ_PARAM_ADAPTIVE;
		param.moder.adaptive = true;
	}
	mutex_lock(&port->adapter->lock);
	err = vmq_queue_init_param(q, &param, mask, extack);
	mutex_unlock(&port->adapter->lock);
	kfree(param.cpus);
	return err;
}

/**
 * vmq_core_queue_remember() - what is set of a port's queues, to undo a restore
 * @port: the port
 * @undo: what was changed of it
 *
 * Context: Process context, rtnl held.
 * Return: 0 or -ENOMEM.
 */
int vmq_core_queue_remember(struct vmq_port *port,
			    struct vmq_core_queue_undo *undo)
{
	int err;
	u32 i;

	undo->tx_queue_len = port->dev->tx_queue_len;
	undo->past = kvcalloc(port->n_queues, sizeof(*undo->past),
			      GFP_KERNEL_ACCOUNT);
	if (!undo->past)
		return -ENOMEM;
	for (i = 0; i < port->n_queues; i++) {
		err = vmq_queue_get_param(port->queue[i], &undo->past[i].param,
					  &undo->past[i].mask);
		if (err)
			return err;
		undo->n = i + 1;
	}
	return 0;
}

/**
 * vmq_core_queue_apply() - sets what was set of the queues of a port
 * @port: the port
 * @st: the record
 * @extack: says why not
 *
 * A queue that the port does not have here is left out. What the record does not
 * name stays as it is.
 *
 * Context: Process context, sleeps, rtnl held; takes adapter->lock.
 * Return: 0 or the errors of vmq_queue_init_param(); some queues may have changed.
 */
int vmq_core_queue_apply(struct vmq_port *port, const struct vmq_core_state *st,
			 struct netlink_ext_ack *extack)
{
	const struct vmq_core_queue *in;
	int err;
	u32 i;

	for (i = 0; i < st->n_params; i++) {
		in = &st->params[i];
		if (in->index >= port->n_queues)
			break;
		err = vmq_core_queue_set(port, port->queue[in->index], in,
					 extack);
		if (err)
			return err;
	}
	return 0;
}

/**
 * vmq_core_queue_undo() - puts back what vmq_core_queue_apply() changed
 * @port: the port
 * @undo: how it was
 *
 * Context: Process context, sleeps, rtnl held; takes adapter->lock.
 * Return: 0, or an error where it can't be as it was.
 */
int vmq_core_queue_undo(struct vmq_port *port,
			const struct vmq_core_queue_undo *undo)
{
	int err = 0;
	u32 i;

	mutex_lock(&port->adapter->lock);
	for (i = 0; i < undo->n; i++)
		err = vmq_queue_put_param(port->queue[i],
					  &undo->past[i].param,
					  undo->tx_queue_len) ?: err;
	mutex_unlock(&port->adapter->lock);
	return err;
}

/**
 * vmq_core_queue_undo_free() - frees what vmq_core_queue_remember() made
 * @undo: how it was
 *
 * Context: Process context.
 */
void vmq_core_queue_undo_free(struct vmq_core_queue_undo *undo)
{
	u32 i;

	for (i = 0; i < undo->n; i++)
		kfree(undo->past[i].param.cpus);
	kvfree(undo->past);
}
