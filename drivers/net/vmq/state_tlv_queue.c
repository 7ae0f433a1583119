// SPDX-License-Identifier: GPL-2.0
/*
 * The item of the core record that says what a user set of the port's queues
 * . Pure functions.
 */
#include <linux/slab.h>
#include <linux/string.h>

#include "state_tlv.h"

/* In front of its three texts; nothing pads them. */
struct vmq_core_queue_wire {
	__le16 index;
	__le16 set;
	__le32 buffers;
	__le32 lookahead;
	__le32 usecs;
	__le32 frames;
	u8 name_len;
	u8 vm_len;
	u8 cpus_len;
	u8 reserved;
};

/**
 * vmq_core_queue_len() - bytes of the item
 * @q: what is to be in it
 * @n: queues
 *
 * Context: Any.
 * Return: the bytes, without padding.
 */
size_t vmq_core_queue_len(const struct vmq_core_queue *q, u32 n)
{
	size_t len = 0;
	u32 i;

	for (i = 0; i < n; i++)
		len += sizeof(struct vmq_core_queue_wire) + strlen(q[i].name) +
		       strlen(q[i].vm) + strlen(q[i].cpus);
	return len;
}

static void *vmq_core_queue_text(void *data, const char *text, u8 len)
{
	memcpy(data, text, len);
	return data + len;
}

/**
 * vmq_core_queue_put() - writes the item
 * @q: what is to be in it
 * @n: queues
 * @data: room for vmq_core_queue_len() bytes
 *
 * Context: Any.
 */
void vmq_core_queue_put(const struct vmq_core_queue *q, u32 n, void *data)
{
	u32 i;

	for (i = 0; i < n; i++, q++) {
		struct vmq_core_queue_wire wire = {
			.index = cpu_to_le16(q->index),
			.set = cpu_to_le16(q->set),
			.buffers = cpu_to_le32(q->buffers),
			.lookahead = cpu_to_le32(q->lookahead),
			.usecs = cpu_to_le32(q->usecs),
			.frames = cpu_to_le32(q->frames),
			.name_len = strlen(q->name),
			.vm_len = strlen(q->vm),
			.cpus_len = strlen(q->cpus),
		};

		memcpy(data, &wire, sizeof(wire));
		data += sizeof(wire);
		data = vmq_core_queue_text(data, q->name, wire.name_len);
		data = vmq_core_queue_text(data, q->vm, wire.vm_len);
		data = vmq_core_queue_text(data, q->cpus, wire.cpus_len);
	}
}

/* A list as the kernel writes it: nothing else has a meaning here. */
static bool vmq_core_queue_cpus_ok(const char *cpus)
{
	for (; *cpus; cpus++)
		if ((*cpus < '0' || *cpus > '9') && *cpus != ',' &&
		    *cpus != '-')
			return false;
	return true;
}

/* What is not set is 0, so that one state has one record. */
static bool vmq_core_queue_ok(const struct vmq_core_queue *q)
{
	u16 set = q->set;

	if (set & ~VMQ_CORE_Q_ALL || !set)
		return false;
	if (!(set & VMQ_CORE_Q_NAME) != !q->name[0] ||
	    !(set & VMQ_CORE_Q_VM) != !q->vm[0] ||
	    !(set & VMQ_CORE_Q_BUFFERS) != !q->buffers ||
	    !(set & VMQ_CORE_Q_LOOKAHEAD) != !q->lookahead)
		return false;
	if (!(set & VMQ_CORE_Q_MODER) && (q->usecs || q->frames))
		return false;
	if (!(set & VMQ_CORE_Q_QUEUED) &&
	    (q->cpus[0] || set & (VMQ_CORE_Q_MODER | VMQ_CORE_Q_ADAPTIVE)))
		return false;
	if (set & VMQ_CORE_Q_MODER && set & VMQ_CORE_Q_ADAPTIVE)
		return false;
	return vmq_core_queue_cpus_ok(q->cpus);
}

/* Reads one, and moves on; false where it is none. */
static bool vmq_core_queue_get_one(struct vmq_core_queue *q, const void **data,
				   size_t *left)
{
	struct vmq_core_queue_wire wire;
	size_t texts;

	if (*left < sizeof(wire))
		return false;
	memcpy(&wire, *data, sizeof(wire));
	*data += sizeof(wire);
	*left -= sizeof(wire);
	texts = wire.name_len + wire.vm_len + wire.cpus_len;
	if (wire.reserved || texts > *left ||
	    wire.name_len >= sizeof(q->name) || wire.vm_len >= sizeof(q->vm) ||
	    wire.cpus_len >= sizeof(q->cpus) || memchr(*data, 0, texts))
		return false;
	q->index = le16_to_cpu(wire.index);
	q->set = le16_to_cpu(wire.set);
	q->buffers = le32_to_cpu(wire.buffers);
	q->lookahead = le32_to_cpu(wire.lookahead);
	q->usecs = le32_to_cpu(wire.usecs);
	q->frames = le32_to_cpu(wire.frames);
	memcpy(q->name, *data, wire.name_len);
	memcpy(q->vm, *data + wire.name_len, wire.vm_len);
	memcpy(q->cpus, *data + wire.name_len + wire.vm_len, wire.cpus_len);
	*data += texts;
	*left -= texts;
	return vmq_core_queue_ok(q);
}

/**
 * vmq_core_queue_get() - reads the item
 * @out: set to what is in it, to be freed with kvfree()
 * @n: set to the number of queues
 * @data: the item
 * @len: its bytes
 * @extack: says what is wrong with it
 *
 * Context: Process context.
 * Return: 0, -EINVAL or -ENOMEM.
 */
int vmq_core_queue_get(struct vmq_core_queue **out, u32 *n, const void *data,
		       size_t len, struct netlink_ext_ack *extack)
{
	u32 count = 0, most = len / sizeof(struct vmq_core_queue_wire);
	struct vmq_core_queue *q;

	if (len > VMQ_CORE_MAX_PARAMS || most > VMQ_CORE_MAX_QUEUES) {
		NL_SET_ERR_MSG(extack, "settings of too many queues");
		return -EINVAL;
	}
	*n = 0;
	if (!len)
		return 0;
	q = kvcalloc(most + 1, sizeof(*q), GFP_KERNEL_ACCOUNT);
	if (!q)
		return -ENOMEM;
	for (; len; count++) {
		/* each once, and in order */
		if (vmq_core_queue_get_one(&q[count], &data, &len) &&
		    (!count || q[count].index > q[count - 1].index))
			continue;
		NL_SET_ERR_MSG_FMT(extack, "settings of queue %u are none",
				   count + 1);
		kvfree(q);
		return -EINVAL;
	}
	*out = q;
	*n = count;
	return 0;
}
