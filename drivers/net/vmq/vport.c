// SPDX-License-Identifier: GPL-2.0
/*
 * VPorts: state table (V-16) and pool arithmetic (V-32 to V-36).
 */
#include <linux/errno.h>
#include <linux/minmax.h>

#include "vport.h"

/**
 * vmq_vport_next_state() - what becomes of a VPort (V-13, V-16, V-25)
 * @kind: the default one, one of the PF, or one of a VF
 * @state: its state
 * @event: what is asked for
 *
 * Context: Any.
 * Return: the next &enum vmq_vport_state, or -EINVAL where it can't be, the state
 * unchanged.
 */
int vmq_vport_next_state(enum vmq_vport_kind kind, enum vmq_vport_state state,
			 enum vmq_vport_event event)
{
	if (event == VMQ_VPORT_CREATE && state == VMQ_VPORT_STATE_NONE)
		return kind == VMQ_VPORT_PF ? VMQ_VPORT_STATE_DEACTIVATED :
					      VMQ_VPORT_STATE_ACTIVATED;
	if (event == VMQ_VPORT_ACTIVATE && kind == VMQ_VPORT_PF &&
	    state == VMQ_VPORT_STATE_DEACTIVATED)
		return VMQ_VPORT_STATE_ACTIVATED;
	/* the default VPort goes with the switch alone */
	if (event == VMQ_VPORT_DELETE && kind != VMQ_VPORT_DEFAULT &&
	    state != VMQ_VPORT_STATE_NONE)
		return VMQ_VPORT_STATE_NONE;
	return -EINVAL;
}

/**
 * vmq_pool_valid() - do the limits fit each other? (V-35)
 * @pool: the limits
 *
 * Context: Any.
 * Return: true if they do.
 */
bool vmq_pool_valid(const struct vmq_pool *pool)
{
	return pool->max_vfs < pool->max_vports &&
	       pool->max_pairs >= pool->max_vports &&
	       pool->max_pairs_each &&
	       pool->max_pairs_each <= pool->max_pairs;
}

/**
 * vmq_pool_max() - most VPorts of a kind (V-36, O-20)
 * @pool: valid limits
 * @kind: whose
 *
 * Context: Any.
 * Return: the number, the default VPort not included in the PF's.
 */
u32 vmq_pool_max(const struct vmq_pool *pool, enum vmq_vport_kind kind)
{
	switch (kind) {
	case VMQ_VPORT_DEFAULT:
		return 1;
	case VMQ_VPORT_VF:
		return pool->max_vfs;
	case VMQ_VPORT_PF:
		break;
	}
	return pool->max_vports - 1 - (pool->single ? 0 : pool->max_vfs);
}

/**
 * vmq_pool_take() - room for another VPort?
 * @pool: valid limits
 * @use: what is in use, counted here
 * @kind: of the PF or of a VF
 * @pairs: queue pairs that it has, 1 and up
 *
 * Context: Any; the caller's lock.
 * Return: 0; -EINVAL for more pairs than one VPort may have, or none; -ENOSPC
 * where there is no VPort or no queue pair left. Nothing is counted then.
 */
int vmq_pool_take(const struct vmq_pool *pool, struct vmq_pool_use *use,
		  enum vmq_vport_kind kind, u32 pairs)
{
	u32 *used = kind == VMQ_VPORT_VF ? &use->vf_vports : &use->pf_vports;

	if (kind == VMQ_VPORT_DEFAULT || !pairs ||
	    pairs > pool->max_pairs_each)
		return -EINVAL;
	if (*used >= vmq_pool_max(pool, kind) ||
	    1 + use->pf_vports + use->vf_vports >= pool->max_vports ||
	    pairs > pool->max_pairs - min(use->pairs, pool->max_pairs))
		return -ENOSPC;
	(*used)++;
	use->pairs += pairs;
	return 0;
}

/**
 * vmq_pool_resize() - more or fewer queue pairs for a VPort (V-19, V-34)
 * @pool: valid limits
 * @use: what is in use, counted here
 * @from: pairs that it has
 * @to: pairs that it is to have, 1 and up
 *
 * Context: Any; the caller's lock.
 * Return: 0; -EINVAL for more pairs than one VPort may have, or none; -ENOSPC
 * where there are not so many left. Nothing is counted then.
 */
int vmq_pool_resize(const struct vmq_pool *pool, struct vmq_pool_use *use,
		    u32 from, u32 to)
{
	if (!to || to > pool->max_pairs_each)
		return -EINVAL;
	if (to > from &&
	    to - from > pool->max_pairs - min(use->pairs, pool->max_pairs))
		return -ENOSPC;
	use->pairs += to - from;
	return 0;
}

/**
 * vmq_pool_give() - a VPort is gone
 * @use: what is in use
 * @kind: as it was taken
 * @pairs: as it was taken
 *
 * Context: Any; the caller's lock.
 */
void vmq_pool_give(struct vmq_pool_use *use, enum vmq_vport_kind kind,
		   u32 pairs)
{
	if (kind == VMQ_VPORT_VF)
		use->vf_vports--;
	else
		use->pf_vports--;
	use->pairs -= pairs;
}
