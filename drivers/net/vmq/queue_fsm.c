// SPDX-License-Identifier: GPL-2.0
/*
 * The state machine of a queue, as a table. Pure: no queue, no adapter.
 */
#include <linux/errno.h>

#include "vmq_priv.h"

#define ____	(-1)			/* an invalid request */
#define UNDE	VMQ_QUEUE_STATE_UNDEFINED
#define ALLO	VMQ_QUEUE_STATE_ALLOCATED
#define SET_	VMQ_QUEUE_STATE_SET
#define RUNN	VMQ_QUEUE_STATE_RUNNING
#define PAUS	VMQ_QUEUE_STATE_PAUSED
#define STOP	VMQ_QUEUE_STATE_STOP_DMA
#define FREE	VMQ_QUEUE_STATE_FREEING

static const s8 vmq_queue_table[VMQ_QEV_COUNT][VMQ_QUEUE_STATES] = {
	[VMQ_QEV_ALLOCATE]	  = { ALLO, ____, ____, ____, ____, ____, ____ },
	[VMQ_QEV_QUERY]		  = { ____, ALLO, SET_, RUNN, PAUS, ____, ____ },
	[VMQ_QEV_CHANGE]	  = { ____, ALLO, SET_, RUNN, PAUS, ____, ____ },
	[VMQ_QEV_SET_FILTER]	  = { ____, SET_, SET_, RUNN, RUNN, ____, ____ },
	[VMQ_QEV_CLEAR_FILTER]	  = { ____, ____, SET_, RUNN, ____, ____, ____ },
	[VMQ_QEV_CLEAR_LAST_FILTER] = { ____, ____, ALLO, PAUS, ____, ____, ____ },
	[VMQ_QEV_LIST_FILTERS]	  = { ____, ALLO, SET_, RUNN, PAUS, ____, ____ },
	[VMQ_QEV_QUERY_FILTER]	  = { ____, ____, SET_, RUNN, ____, ____, ____ },
	[VMQ_QEV_COMPLETE]	  = { ____, PAUS, RUNN, ____, ____, ____, ____ },
	[VMQ_QEV_DELIVER]	  = { ____, ____, ____, RUNN, ____, ____, ____ },
	[VMQ_QEV_FREE]		  = { ____, STOP, ____, ____, STOP, ____, ____ },
	[VMQ_QEV_DMA_STOPPED]	  = { ____, ____, ____, ____, ____, FREE, ____ },
	[VMQ_QEV_GIVE_BACK]	  = { ____, ____, ____, RUNN, PAUS, STOP, FREE },
	[VMQ_QEV_GIVE_BACK_LAST]  = { ____, ____, ____, ____, ____, ____, UNDE },
};

/**
 * vmq_queue_next_state() - where an event takes a queue
 * @state: state of the queue
 * @event: what is asked for
 *
 * Context: Any; looks at nothing but its arguments.
 * Return: the next state, -ENOENT for a request that needs an allocated queue
 * and meets an undefined one, -EBUSY for any other request that is invalid in
 * @state (O-14), -EINVAL for an unknown state or event.
 */
int vmq_queue_next_state(enum vmq_queue_state state, enum vmq_queue_event event)
{
	int next;

	if (state >= VMQ_QUEUE_STATES || event >= VMQ_QEV_COUNT)
		return -EINVAL;
	next = vmq_queue_table[event][state];
	if (next >= 0)
		return next;
	return state == VMQ_QUEUE_STATE_UNDEFINED ? -ENOENT : -EBUSY;
}

/**
 * vmq_queue_oper_state() - a state as outside observers see it (Q-38, O-03)
 * @state: state of the queue
 *
 * Context: Any; looks at nothing but its argument.
 * Return: the operational state, that of an undefined queue for an unknown one.
 */
enum vmq_queue_oper_state vmq_queue_oper_state(enum vmq_queue_state state)
{
	switch (state) {
	case VMQ_QUEUE_STATE_RUNNING:
		return VMQ_QUEUE_OPER_STATE_RUNNING;
	case VMQ_QUEUE_STATE_ALLOCATED:
	case VMQ_QUEUE_STATE_SET:
	case VMQ_QUEUE_STATE_PAUSED:
		return VMQ_QUEUE_OPER_STATE_PAUSED;
	case VMQ_QUEUE_STATE_STOP_DMA:
	case VMQ_QUEUE_STATE_FREEING:
		return VMQ_QUEUE_OPER_STATE_DMA_STOPPED;
	default:
		return VMQ_QUEUE_OPER_STATE_UNDEFINED;
	}
}
