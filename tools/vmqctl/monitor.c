// SPDX-License-Identifier: GPL-2.0
/*
 * vmqctl monitor: what happens, as it happens.
 */
#include "nl.h"
#include "out.h"
#include "vmqctl.h"

static const struct attr_desc record_attrs[] = {
	[VMQ_A_RECORD_IFINDEX] = ATTR("ifindex", IFINDEX),
	[VMQ_A_RECORD_DEV] = ATTR("dev", STR),
	[VMQ_A_RECORD_EXT_UUID] = ATTR("ext-uuid", STR),
	[VMQ_A_RECORD_CLASS_UUID] = ATTR("class-uuid", STR),
	[VMQ_A_RECORD_LENGTH] = ATTR("length", UINT),
};

static ATTR_SET(record);

static const struct {
	uint8_t cmd;
	const char *name;
	const struct attr_set *set;
} events[] = {
	{ VMQ_CMD_ADAPTER_NTF, "adapter-ntf", &adapter_set },
	{ VMQ_CMD_QUEUE_NTF, "queue-ntf", &queue_set },
	{ VMQ_CMD_FILTER_NTF, "filter-ntf", &filter_set },
	{ VMQ_CMD_PORT_NTF, "port-ntf", &port_set },
	{ VMQ_CMD_VF_BLOCK_NTF, "vf-block-ntf", &vf_set },
	{ VMQ_CMD_RECORD_UNCLAIMED_NTF, "record-unclaimed-ntf", &record_set },
};

/* One line; JSON has the shape that the kernel's ynl tool gives to events. */
static int show_event(uint8_t cmd, const void *attrs, size_t len, void *arg)
{
	size_t i;

	(void)arg;
	for (i = 0; i < ARRAY_SIZE(events); i++) {
		if (events[i].cmd != cmd)
			continue;
		out_obj_begin(NULL);
		if (out_is_json()) {
			out_cstr("name", events[i].name);
			out_obj_begin("msg");
		} else {
			out_flag(events[i].name);
		}
		attr_show(events[i].set, attrs, len, false);
		if (out_is_json())
			out_obj_end();
		out_obj_end();
		return out_flush();
	}
	return VMQCTL_OK;
}

static int monitor(struct args *args)
{
	int err = args_end(args);

	if (err)
		return err;
	out_bare();
	return nl_listen(show_event, NULL);
}

const struct object monitor_object = {
	.name = "monitor",
	.usage = "Usage: vmqctl monitor\n",
	.run = monitor,
};
