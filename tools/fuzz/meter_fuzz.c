// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzer of the parser of meter's records, the very file that the module has. An
 * input is a record.
 */
#include "../../drivers/net/vmq/ext/meter_record.h"
#include "fuzz.h"

unsigned long fuzz_accepted;

static void fuzz_dir(const struct vmq_meter_rec_dir *dir, unsigned int number)
{
	s64 bytes = le64_to_cpu(dir->byte_tokens);
	s64 packets = le64_to_cpu(dir->packet_tokens);

	if (dir->direction != number)
		fuzz_fail("accepted with its directions mixed up");
	if (bytes < -VMQ_METER_REC_TOKENS_MAX ||
	    bytes > VMQ_METER_REC_TOKENS_MAX ||
	    packets < -VMQ_METER_REC_TOKENS_MAX ||
	    packets > VMQ_METER_REC_TOKENS_MAX)
		fuzz_fail("accepted with tokens out of range");
	if ((bytes && !(dir->flags & VMQ_METER_REC_BYTES)) ||
	    (packets && !(dir->flags & VMQ_METER_REC_PACKETS)))
		fuzz_fail("accepted with tokens of nothing");
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct vmq_meter_rec_dir dir[VMQ_METER_REC_DIRS] = {};
	unsigned int present, i;
	const char *wrong;
	u8 *buf = fuzz_copy(data, size);

	wrong = vmq_meter_rec_parse(buf, size, dir, &present);
	free(buf);
	if (wrong)
		return 0;
	fuzz_accepted++;
	if (!present || present >> VMQ_METER_REC_DIRS)
		fuzz_fail("accepted with nothing in it");
	for (i = 0; i < VMQ_METER_REC_DIRS; i++)
		if (present & 1 << i)
			fuzz_dir(&dir[i], i);
	return 0;
}
