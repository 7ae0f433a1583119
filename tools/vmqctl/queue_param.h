/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Parameters of queues on the command line, in queue add and queue set.
 */
#ifndef _VMQCTL_QUEUE_PARAM_H
#define _VMQCTL_QUEUE_PARAM_H

#include "nl.h"
#include "vmqctl.h"

#define QUEUE_SETTINGS	10

extern const struct setting queue_settings[QUEUE_SETTINGS];

#define QUEUE_PARAM_USAGE						\
	"where  PARAMETER VALUE := { name NAME | vm NAME | cpus { LIST | none } |\n" \
	"              mode { direct | queued } | buffers FRAMES |\n"	\
	"              per-queue-delivery { on | off } | lookahead BYTES |\n" \
	"              rx-usecs N | rx-frames N | adaptive { on | off } }\n"

#endif /* _VMQCTL_QUEUE_PARAM_H */
