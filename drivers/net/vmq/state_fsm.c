// SPDX-License-Identifier: GPL-2.0
/*
 * The state machine of a port's migration. Pure.
 */
#include <linux/errno.h>

#include "state.h"

/* Next state, or why the event is refused. */
static const s8 vmq_migration_table[VMQ_MIGRATION_STATES][VMQ_MEV_COUNT] = {
	[VMQ_MIGRATION_STATE_IDLE] = {
		[VMQ_MEV_SAVE_BEGIN] = VMQ_MIGRATION_STATE_SAVING,
		[VMQ_MEV_RESTORE_BEGIN] = VMQ_MIGRATION_STATE_RESTORING,
		[VMQ_MEV_SAVED] = -EINVAL,
		[VMQ_MEV_VALIDATED] = -EINVAL,
		[VMQ_MEV_FAILED] = -EINVAL,
		[VMQ_MEV_COMMIT] = -ENOENT,
		[VMQ_MEV_ABORT] = -ENOENT,
		[VMQ_MEV_CLOSE] = VMQ_MIGRATION_STATE_IDLE,
	},
	[VMQ_MIGRATION_STATE_SAVING] = {
		[VMQ_MEV_SAVE_BEGIN] = -EBUSY,
		[VMQ_MEV_RESTORE_BEGIN] = -EBUSY,
		[VMQ_MEV_SAVED] = VMQ_MIGRATION_STATE_SAVED,
		[VMQ_MEV_VALIDATED] = -EINVAL,
		/* O-34: nothing of the save is left */
		[VMQ_MEV_FAILED] = VMQ_MIGRATION_STATE_IDLE,
		[VMQ_MEV_COMMIT] = -EBUSY,
		[VMQ_MEV_ABORT] = VMQ_MIGRATION_STATE_IDLE,
		[VMQ_MEV_CLOSE] = VMQ_MIGRATION_STATE_IDLE,
	},
	[VMQ_MIGRATION_STATE_SAVED] = {
		[VMQ_MEV_SAVE_BEGIN] = VMQ_MIGRATION_STATE_SAVING,
		[VMQ_MEV_RESTORE_BEGIN] = VMQ_MIGRATION_STATE_RESTORING,
		[VMQ_MEV_SAVED] = -EINVAL,
		[VMQ_MEV_VALIDATED] = -EINVAL,
		[VMQ_MEV_FAILED] = -EINVAL,
		[VMQ_MEV_COMMIT] = -ENOENT,
		[VMQ_MEV_ABORT] = VMQ_MIGRATION_STATE_IDLE,
		[VMQ_MEV_CLOSE] = VMQ_MIGRATION_STATE_SAVED,
	},
	[VMQ_MIGRATION_STATE_RESTORING] = {
		[VMQ_MEV_SAVE_BEGIN] = -EBUSY,
		[VMQ_MEV_RESTORE_BEGIN] = -EBUSY,
		[VMQ_MEV_SAVED] = -EINVAL,
		[VMQ_MEV_VALIDATED] = VMQ_MIGRATION_STATE_VALIDATED,
		/* until somebody asked why, by a commit, or closed */
		[VMQ_MEV_FAILED] = VMQ_MIGRATION_STATE_RESTORING,
		/* the writer may go on */
		[VMQ_MEV_COMMIT] = -EINVAL,
		[VMQ_MEV_ABORT] = VMQ_MIGRATION_STATE_IDLE,
		[VMQ_MEV_CLOSE] = VMQ_MIGRATION_STATE_IDLE,
	},
	[VMQ_MIGRATION_STATE_VALIDATED] = {
		[VMQ_MEV_SAVE_BEGIN] = -EBUSY,
		[VMQ_MEV_RESTORE_BEGIN] = -EBUSY,
		[VMQ_MEV_SAVED] = -EINVAL,
		[VMQ_MEV_VALIDATED] = -EINVAL,
		[VMQ_MEV_FAILED] = VMQ_MIGRATION_STATE_RESTORING,
		[VMQ_MEV_COMMIT] = VMQ_MIGRATION_STATE_IDLE,
		[VMQ_MEV_ABORT] = VMQ_MIGRATION_STATE_IDLE,
		[VMQ_MEV_CLOSE] = VMQ_MIGRATION_STATE_IDLE,
	},
};

/**
 * vmq_migration_next() - the state machine of a port's migration
 * @state: the state
 * @event: what happens
 *
 * Context: Any.
 * Return: the next state; -EBUSY while another session runs (SR-22, SR-26),
 * -ENOENT where there is none, -EINVAL for what can't happen in this state.
 */
int vmq_migration_next(enum vmq_migration_state state,
		       enum vmq_migration_event event)
{
	if (state >= VMQ_MIGRATION_STATES || event >= VMQ_MEV_COUNT)
		return -EINVAL;
	return vmq_migration_table[state][event];
}
