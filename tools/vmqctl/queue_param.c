// SPDX-License-Identifier: GPL-2.0
/*
 * Parameters of queues: from words to attributes. The kernel checks the values.
 */
#include <string.h>

#include "queue_param.h"

static int put_number(struct nl_request *req, const char *what, uint16_t type,
		      const char *word)
{
	uint64_t v;
	int err;

	err = parse_uint(what, word, UINT32_MAX, &v);
	if (!err)
		mnl_attr_put_u32(req->nlh, type, v);
	return err;
}

static int put_switch(struct nl_request *req, const char *what, uint16_t type,
		      const char *word)
{
	if (strcmp(word, "on") && strcmp(word, "off"))
		return usage_error("%s: \"%s\" is neither on nor off", what,
				   word);
	mnl_attr_put_u8(req->nlh, type, !strcmp(word, "on"));
	return VMQCTL_OK;
}

static int put_name(struct nl_request *req, const char *word)
{
	return nl_put_str(req, "name", VMQ_A_QUEUE_NAME, word);
}

static int put_vm(struct nl_request *req, const char *word)
{
	return nl_put_str(req, "vm", VMQ_A_QUEUE_VM, word);
}

static int put_mode(struct nl_request *req, const char *word)
{
	uint32_t mode = VMQ_QUEUE_MODE_DIRECT;

	if (!strcmp(word, "queued"))
		mode = VMQ_QUEUE_MODE_QUEUED;
	else if (strcmp(word, "direct"))
		return usage_error("mode: \"%s\" is neither direct nor queued",
				   word);
	mnl_attr_put_u32(req->nlh, VMQ_A_QUEUE_MODE, mode);
	return VMQCTL_OK;
}

static int put_cpus(struct nl_request *req, const char *word)
{
	if (!strcmp(word, "none"))
		return put_mode(req, "direct");
	return nl_put_str(req, "cpus", VMQ_A_QUEUE_CPUS, word);
}

static int put_buffers(struct nl_request *req, const char *word)
{
	return put_number(req, "buffers", VMQ_A_QUEUE_BUFFERS, word);
}

static int put_single(struct nl_request *req, const char *word)
{
	return put_switch(req, "per-queue-delivery",
			  VMQ_A_QUEUE_PER_QUEUE_DELIVERY, word);
}

static int put_lookahead(struct nl_request *req, const char *word)
{
	return put_number(req, "lookahead", VMQ_A_QUEUE_LOOKAHEAD, word);
}

static int put_usecs(struct nl_request *req, const char *word)
{
	return put_number(req, "rx-usecs", VMQ_A_QUEUE_RX_USECS, word);
}

static int put_frames(struct nl_request *req, const char *word)
{
	return put_number(req, "rx-frames", VMQ_A_QUEUE_RX_FRAMES, word);
}

static int put_adaptive(struct nl_request *req, const char *word)
{
	return put_switch(req, "adaptive", VMQ_A_QUEUE_ADAPTIVE, word);
}

const struct setting queue_settings[QUEUE_SETTINGS] = {
	{ "name", put_name },
	{ "vm", put_vm },
	{ "cpus", put_cpus },
	{ "mode", put_mode },
	{ "buffers", put_buffers },
	{ "per-queue-delivery", put_single },
	{ "lookahead", put_lookahead },
	{ "rx-usecs", put_usecs },
	{ "rx-frames", put_frames },
	{ "adaptive", put_adaptive },
};
