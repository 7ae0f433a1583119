// SPDX-License-Identifier: GPL-2.0
/*
 * The words that say what a run of the benchmark is to do.
 */
#include <linux/cpumask.h>
#include <linux/hex.h>
#include <linux/if_vlan.h>
#include <linux/kernel.h>
#include <linux/parser.h>
#include <linux/string.h>

#include "bench_job.h"

enum {
	KEY_DEV, KEY_DST, KEY_SRC, KEY_FRAMES, KEY_LEN, KEY_PORTS, KEY_TRAIN,
	KEY_VID, KEY_VIDS, KEY_ENDS, KEY_WINDOW, KEY_FLOWS, KEY_MUTE, KEY_TX,
	KEY_CPUS, KEY_ERROR
};

static const match_table_t vmq_bench_keys = {
	{ KEY_DEV,	"dev=%s" },
	{ KEY_DST,	"dst=%s" },	/* the last two bytes count up */
	{ KEY_SRC,	"src=%s" },
	{ KEY_FRAMES,	"frames=%u" },
	{ KEY_LEN,	"len=%u" },
	{ KEY_PORTS,	"ports=%u" },
	{ KEY_TRAIN,	"train=%u" },
	{ KEY_VID,	"vid=%u" },
	{ KEY_VIDS,	"vids=%u" },
	{ KEY_ENDS,	"ends=%u" },
	{ KEY_WINDOW,	"window=%u" },
	{ KEY_FLOWS,	"flows=%u" },
	{ KEY_MUTE,	"mute=%u" },
	{ KEY_TX,	"tx" },
	{ KEY_CPUS,	"cpus=%u" },
	{ KEY_ERROR,	NULL },
};

static int vmq_bench_mac(const substring_t *arg, u8 *mac)
{
	char text[3 * ETH_ALEN];

	match_strlcpy(text, arg, sizeof(text));
	return mac_pton(text, mac) ? 0 : -EINVAL;
}

static int vmq_bench_key(struct vmq_bench_job *job, char *word)
{
	substring_t args[MAX_OPT_ARGS];

	switch (match_token(word, vmq_bench_keys, args)) {
	case KEY_DEV:
		match_strlcpy(job->dev, args, sizeof(job->dev));
		return 0;
	case KEY_DST:
		return vmq_bench_mac(args, job->dst);
	case KEY_SRC:
		return vmq_bench_mac(args, job->src);
	case KEY_FRAMES:
		return match_uint(args, &job->frames);
	case KEY_LEN:
		return match_uint(args, &job->len);
	case KEY_PORTS:
		return match_uint(args, &job->ports);
	case KEY_TRAIN:
		return match_uint(args, &job->train);
	case KEY_VID:
		return match_uint(args, &job->vid);
	case KEY_VIDS:
		return match_uint(args, &job->vids);
	case KEY_ENDS:
		return match_uint(args, &job->ends);
	case KEY_WINDOW:
		return match_uint(args, &job->window);
	case KEY_FLOWS:
		return match_uint(args, &job->flows);
	case KEY_MUTE:
		return match_uint(args, &job->mute);
	case KEY_CPUS:
		return match_uint(args, &job->cpus);
	case KEY_TX:
		job->tx = true;
		return 0;
	}
	return -EINVAL;
}

/**
 * vmq_bench_parse() - reads what a run is to do
 * @job: set to it, if all of it can be done
 * @line: KEY=VALUE and so on, see vmq_bench_keys; written to
 *
 * Context: Any.
 * Return: 0, -EINVAL for what is no key or no value, or -ERANGE.
 */
int vmq_bench_parse(struct vmq_bench_job *job, char *line)
{
	struct vmq_bench_job new = {
		.dst = { 0x52, 0x54, 0, 0, 0, 0 },
		.src = { 0x52, 0x54, 0xff, 0, 0, 1 },
		.frames = 100000, .len = 60, .ports = 1, .train = 1, .ends = 1,
		.window = 512,
	};
	char *word;
	int err;

	while ((word = strsep(&line, "\n "))) {
		if (!*word)
			continue;
		err = vmq_bench_key(&new, word);
		if (err)
			return err;
	}
	if (!new.frames || new.frames > 100000000 || new.len < 60 ||
	    new.len > 9000 || !new.ports || new.ports > 65536 || !new.train ||
	    new.cpus > min(num_online_cpus(), 8U) || new.mute >= new.ports ||
	    !new.ends || new.vid + new.vids >= VLAN_N_VID || !new.window)
		return -ERANGE;
	*job = new;
	return 0;
}
