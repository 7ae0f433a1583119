/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VMQ_BENCH_JOB_H
#define _VMQ_BENCH_JOB_H

#include <linux/if.h>
#include <linux/if_ether.h>

/* What a run is to do. */
struct vmq_bench_job {
	char dev[IFNAMSIZ];
	u8 dst[ETH_ALEN];		/* of destination 0 */
	u8 src[ETH_ALEN];
	u32 frames;
	u32 len;			/* without FCS and tag */
	u32 ports;			/* destinations */
	u32 train;			/* frames in a row to one of them */
	u32 vid;			/* of destination 0, 0: untagged */
	u32 vids;			/* the next ones have the next ids */
	u32 ends;			/* of each frame: more than 1 for a flood */
	u32 window;			/* frames on their way at once */
	u32 flows;			/* UDP over IPv4, in so many flows */
	u32 mute;			/* last destinations, whose ends don't count */
	bool tx;			/* send on the device instead */
	u32 cpus;			/* so many send at once: vmq_bench_sender() */
};

int vmq_bench_parse(struct vmq_bench_job *job, char *line);

#endif /* _VMQ_BENCH_JOB_H */
