// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzer of the parser of meter's records, the very file that the module has.
 *
 * With libFuzzer (make meter_fuzz CC=clang FUZZER=1) inputs are mutated by
 * coverage; without, a loop damages good records: meter_fuzz [ROUNDS [SEED]].
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../drivers/net/vmq/ext/meter_record.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void fuzz_fail(const char *what)
{
	fprintf(stderr, "meter_fuzz: %s\n", what);
	abort();
}

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
	u8 *buf;

	/* of that size exactly, so that a byte too many is noticed */
	buf = malloc(size ? size : 1);
	if (!buf)
		abort();
	memcpy(buf, data, size);
	wrong = vmq_meter_rec_parse(buf, size, dir, &present);
	free(buf);
	if (wrong)
		return 0;
	if (!present || present >> VMQ_METER_REC_DIRS)
		fuzz_fail("accepted with nothing in it");
	for (i = 0; i < VMQ_METER_REC_DIRS; i++)
		if (present & 1 << i)
			fuzz_dir(&dir[i], i);
	return 0;
}

#ifndef FUZZER
static u32 fuzz_rand(u32 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static size_t fuzz_good(u8 *buf, u32 *seed)
{
	size_t entry = sizeof(struct vmq_meter_rec_dir) +
		       8 * (fuzz_rand(seed) % 3);
	struct vmq_meter_rec_hdr hdr = {
		.entry_size = cpu_to_le16(entry),
		.count = cpu_to_le32(1 + fuzz_rand(seed) % 2),
	};
	struct vmq_meter_rec_dir dir = {};
	u32 i;

	memcpy(buf, &hdr, sizeof(hdr));
	memset(buf + sizeof(hdr), 0x55, 2 * entry);
	for (i = 0; i < le32_to_cpu(hdr.count); i++) {
		dir.direction = i;
		dir.flags = VMQ_METER_REC_BYTES;
		dir.byte_tokens = cpu_to_le64((s64)(int32_t)fuzz_rand(seed));
		dir.passed_bytes = cpu_to_le64(fuzz_rand(seed));
		memcpy(buf + sizeof(hdr) + i * entry, &dir, sizeof(dir));
	}
	return sizeof(hdr) + le32_to_cpu(hdr.count) * entry;
}

int main(int argc, char **argv)
{
	unsigned long i, rounds = argc > 1 ? strtoul(argv[1], NULL, 0) : 500000;
	u32 n, seed = argc > 2 ? strtoul(argv[2], NULL, 0) : 1;
	struct vmq_meter_rec_dir dir[VMQ_METER_REC_DIRS];
	unsigned long good = 0;
	unsigned int present;
	u8 data[512];
	size_t len;

	for (i = 0; i < rounds; i++) {
		len = fuzz_good(data, &seed);
		if (vmq_meter_rec_parse(data, len, dir, &present))
			fuzz_fail("refused a good one");
		for (n = fuzz_rand(&seed) % 4; n; n--)
			data[fuzz_rand(&seed) % len] =
				fuzz_rand(&seed) >> (fuzz_rand(&seed) & 31);
		if (!(fuzz_rand(&seed) % 4))
			len = fuzz_rand(&seed) % (len + 8);
		good += !vmq_meter_rec_parse(data, len, dir, &present);
		LLVMFuzzerTestOneInput(data, len);
	}
	printf("%lu records, %lu of them good, nothing found\n", rounds, good);
	return 0;
}
#endif
