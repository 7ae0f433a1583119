// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzer of the stream's codec, the very file that the module has.
 *
 * With libFuzzer (make stream_fuzz CC=clang FUZZER=1) inputs are mutated by
 * coverage; without, a loop makes its own from good streams: stream_fuzz [ROUNDS
 * [SEED]]. The first byte of an input says how it is used: bit 0, the checksum is
 * made right first, so that what is behind it is reached; the rest, the size of
 * the pieces in which the stream arrives.
 */
#include <stdio.h>
#include <stdlib.h>

#include <linux/crc32c.h>
#include <linux/string.h>
#include <net/vmq.h>

#include "../../drivers/net/vmq/stream.h"

#define FUZZ_MAX	4096

/* Not static, so that the reads that it stands for are not optimized away. */
u32 fuzz_sum;

static void fuzz_fail(const char *what)
{
	fprintf(stderr, "stream_fuzz: %s\n", what);
	abort();
}

/* What the reader of a damaged stream may see must be inside of it all the same. */
static u32 fuzz_walk(const u8 *buf, size_t len)
{
	struct vmq_stream_view view;
	size_t pos = 0;
	u32 records = 0;
	u32 i;

	while (vmq_stream_next(buf, len, &pos, &view)) {
		if (pos > len)
			fuzz_fail("walked past the end");
		for (i = 0; i < view.length; i++)
			fuzz_sum += view.data[i];
		for (i = 0; i < 16; i++)
			fuzz_sum += view.ext[i] + view.class[i];
		records++;
	}
	return records;
}

static int fuzz_pieces(const u8 *buf, size_t len, size_t piece,
		       struct vmq_stream_error *err)
{
	struct vmq_stream_parser p = {};
	size_t have = 0;
	int ret = 0;

	while (!ret && have < len) {
		have = len - have < piece ? len : have + piece;
		ret = vmq_stream_parse(&p, buf, have, err);
		if (!ret && p.need <= have)
			fuzz_fail("needs what it has");
	}
	/* the end was seen, and there is more: the next piece is refused */
	if (ret == 1 && have < len)
		ret = vmq_stream_parse(&p, buf, len, err);
	return ret;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct vmq_stream_error err = {}, whole = {};
	int checked, parsed;
	size_t len, piece;
	u32 count, crc;
	u8 *buf;

	if (size < 2)
		return 0;
	piece = (data[0] >> 1) + 1;
	len = size - 1;
	/* of that size exactly, so that a byte too many is noticed */
	buf = malloc(len);
	if (!buf)
		abort();
	memcpy(buf, data + 1, len);
	if (data[0] & 1 && len > sizeof(crc)) {
		crc = cpu_to_le32(~crc32c(~0, buf, len - sizeof(crc)));
		memcpy(buf + len - sizeof(crc), &crc, sizeof(crc));
	}

	checked = vmq_stream_check(buf, len, &count, &err);
	if (checked && (!err.what || err.offset > len))
		fuzz_fail("refused without a reason");
	parsed = fuzz_pieces(buf, len, piece, &whole);
	if (!checked && (parsed != 1 || fuzz_walk(buf, len) != count))
		fuzz_fail("accepted, but not in pieces or with other records");
	if (checked && checked != -EBADMSG && parsed != checked)
		fuzz_fail("refused as a whole, but not so in pieces");
	fuzz_walk(buf, len);
	free(buf);
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
	static const u8 ext[16] = { 1, 2, 3 };
	struct vmq_stream_writer w;
	u32 n = fuzz_rand(seed) % 5;
	size_t len, i;
	u32 size;

	len = vmq_stream_put_header(&w, buf, 0x100);
	while (n--) {
		u16 type = fuzz_rand(seed) % 4;

		size = fuzz_rand(seed) % 300;
		for (i = 0; i < size; i++)
			buf[len + VMQ_RECORD_HDR + i] = fuzz_rand(seed);
		len += vmq_stream_seal_record(&w, buf + len,
					      type == VMQ_RECORD_END ?
					      VMQ_RECORD_EXT : type,
					      fuzz_rand(seed) & 1,
					      type == VMQ_RECORD_CORE ?
					      NULL : ext, NULL, 1, size);
	}
	return len + vmq_stream_put_end(&w, buf + len);
}

int main(int argc, char **argv)
{
	unsigned long i, rounds = argc > 1 ? strtoul(argv[1], NULL, 0) : 200000;
	u32 n, seed = argc > 2 ? strtoul(argv[2], NULL, 0) : 1;
	u8 data[FUZZ_MAX];
	size_t len;

	for (i = 0; i < rounds; i++) {
		len = fuzz_good(data + 1, &seed) + 1;
		data[0] = fuzz_rand(&seed);
		for (n = fuzz_rand(&seed) % 6; n; n--)
			data[1 + fuzz_rand(&seed) % (len - 1)] =
				fuzz_rand(&seed) >> (fuzz_rand(&seed) & 31);
		if (!(fuzz_rand(&seed) % 4))
			len = fuzz_rand(&seed) % (len + 8);
		LLVMFuzzerTestOneInput(data, len);
	}
	printf("%lu streams, nothing found\n", rounds);
	return 0;
}
#endif
