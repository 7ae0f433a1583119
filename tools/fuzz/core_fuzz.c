// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzer of the parser of the core record, the very files that the module has. An
 * input is a record. What was read is written and read again: the same has to
 * come out.
 */
#include <string.h>

#include <linux/slab.h>

#include "../../drivers/net/vmq/state_tlv.h"
#include "fuzz.h"

unsigned long fuzz_accepted;

static u8 *fuzz_encode(const struct vmq_core_state *st, size_t *size)
{
	struct vmq_record rec = { .size = 0 };
	u8 *buf;

	*size = vmq_core_size(st);
	if (*size && vmq_core_encode(st, &rec) != -EMSGSIZE)
		fuzz_fail("wrote a record without room for it");
	if (*size && rec.needed != *size)
		fuzz_fail("asked for other room than it needs");
	buf = calloc(1, *size ? *size : 1);
	if (!buf)
		abort();
	rec.size = *size;
	rec.data = buf;
	if (vmq_core_encode(st, &rec) != (int)*size)
		fuzz_fail("wrote a record of another size");
	return buf;
}

static void fuzz_state(const struct vmq_core_state *st)
{
	u32 i;

	if (st->n_filters > VMQ_CORE_MAX_FILTERS || st->n_mc > VMQ_CORE_MAX_MC)
		fuzz_fail("accepted more than there may be");
	if (strnlen(st->queue_name, VMQ_CORE_NAME_MAX) == VMQ_CORE_NAME_MAX)
		fuzz_fail("accepted a name without an end");
	for (i = 0; st->rss && i < st->rss->size; i++)
		if (st->rss->table[i] >= st->rss->queues)
			fuzz_fail("accepted a table with a queue too many");
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct netlink_ext_ack extack = {};
	struct vmq_core_state *st, *again;
	u8 *buf, *first, *second;
	struct vmq_record rec;
	size_t len, len2;

	if (size > VMQ_RECORD_DATA_MAX)
		return 0;
	buf = fuzz_copy(data, size);
	rec = (struct vmq_record){ .data = buf, .size = size };
	st = vmq_core_parse(&rec, &extack);
	free(buf);
	if (IS_ERR(st)) {
		if (!extack._msg)
			fuzz_fail("refused without a reason");
		return 0;
	}
	fuzz_accepted++;
	fuzz_state(st);
	first = fuzz_encode(st, &len);
	rec = (struct vmq_record){ .data = first, .size = len };
	again = vmq_core_parse(&rec, &extack);
	if (IS_ERR(again))
		fuzz_fail("refused what it wrote itself");
	second = fuzz_encode(again, &len2);
	if (len != len2 || memcmp(first, second, len))
		fuzz_fail("read something else than it wrote");
	free(first);
	free(second);
	vmq_core_free(st);
	vmq_core_free(again);
	return 0;
}
