// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzer of the stream's codec, the very file that the module has. The first byte
 * of an input says how it is used: bit 0, the checksum is made right first, so that
 * what is behind it is reached; the rest, the size of the pieces in which the
 * stream arrives.
 */
#include <linux/crc32c.h>
#include <linux/string.h>
#include <net/vmq.h>

#include "../../drivers/net/vmq/stream.h"
#include "fuzz.h"

/* Not static, so that the reads that it stands for are not optimized away. */
u32 fuzz_sum;

unsigned long fuzz_accepted;

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
	buf = fuzz_copy(data + 1, len);
	if (data[0] & 1 && len > sizeof(crc)) {
		crc = cpu_to_le32(~crc32c(~0, buf, len - sizeof(crc)));
		memcpy(buf + len - sizeof(crc), &crc, sizeof(crc));
	}

	checked = vmq_stream_check(buf, len, &count, &err);
	fuzz_accepted += !checked;
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
