// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the stream's codec. Names in brackets are requirements.
 */
#include <kunit/test.h>
#include <linux/crc32c.h>
#include <linux/prandom.h>
#include <linux/slab.h>
#include <net/vmq.h>

#include "../stream.h"

#define TEST_SIZE	1024
#define TEST_PRODUCER	0x010203
#define TEST_FUZZ	100000

/* Where the parts of test_stream() begin. */
#define TEST_CORE	VMQ_STREAM_HDR_SIZE
#define TEST_CORE_LEN	13
#define TEST_EXT	(TEST_CORE + 64)
#define TEST_EXT_LEN	8
#define TEST_LAST	(TEST_EXT + 56)
#define TEST_END	(TEST_LAST + VMQ_RECORD_HDR)

static const u8 test_ext[16] = { 0xe1, 2, 3, 4, 5, 6, 7, 8,
				 9, 10, 11, 12, 13, 14, 15, 16 };
static const u8 test_class[16] = { [15] = 0xc1 };

struct test_stream {
	struct vmq_stream_writer w;
	u8 *buf;
	size_t len;
};

static void test_start(struct kunit *test, struct test_stream *s)
{
	memset(s, 0, sizeof(*s));
	s->buf = kunit_kzalloc(test, TEST_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, s->buf);
	s->len = vmq_stream_put_header(&s->w, s->buf, TEST_PRODUCER);
}

static void test_record(struct test_stream *s, u16 type, u16 flags,
			const u8 *ext, u32 len)
{
	u8 *buf = s->buf + s->len;
	u32 i;

	for (i = 0; i < len; i++)
		buf[VMQ_RECORD_HDR + i] = 0xa0 + i;
	/* what was in the padding must not get out */
	memset(buf + VMQ_RECORD_HDR + len, 0xff, 7);
	s->len += vmq_stream_seal_record(&s->w, buf, type, flags, ext,
					 ext ? test_class : NULL, 1, len);
}

static void test_end(struct test_stream *s)
{
	s->len += vmq_stream_put_end(&s->w, s->buf + s->len);
}

/* A core record, an extension's, and an empty one of the same extension. */
static void test_stream(struct kunit *test, struct test_stream *s)
{
	test_start(test, s);
	test_record(s, VMQ_RECORD_CORE, 0, NULL, TEST_CORE_LEN);
	test_record(s, VMQ_RECORD_EXT, 0, test_ext, TEST_EXT_LEN);
	test_record(s, VMQ_RECORD_EXT, VMQ_RECORD_OPTIONAL, test_ext, 0);
	test_end(s);
}

/* Makes the checksum right again, so that it is not what refuses the stream. */
static void test_reseal(struct test_stream *s)
{
	__le32 crc = cpu_to_le32(~crc32c(~0, s->buf, s->len - sizeof(crc)));

	memcpy(s->buf + s->len - sizeof(crc), &crc, sizeof(crc));
}

static int test_check(struct test_stream *s, struct vmq_stream_error *err)
{
	u32 count;

	memset(err, 0, sizeof(*err));
	return vmq_stream_check(s->buf, s->len, &count, err);
}

static void test_refused(struct kunit *test, struct test_stream *s, int code,
			 const char *what, size_t offset)
{
	struct vmq_stream_error err;
	int ret;

	test_reseal(s);
	ret = test_check(s, &err);
	KUNIT_EXPECT_EQ(test, ret, code);
	KUNIT_EXPECT_STREQ(test, err.what ?: "accepted", what);
	KUNIT_EXPECT_EQ(test, err.offset, offset);
}

/* [SR-01, SR-14, SR-42] what was written is read, in the same order, as it was */
static void vmq_stream_round_trip(struct kunit *test)
{
	struct vmq_stream_view view;
	struct vmq_stream_error err;
	struct test_stream s;
	size_t pos = 0;
	u32 count, i;

	test_stream(test, &s);
	KUNIT_ASSERT_EQ(test, vmq_stream_check(s.buf, s.len, &count, &err), 0);
	KUNIT_EXPECT_EQ(test, count, 3);
	KUNIT_EXPECT_EQ(test, s.w.count, 3);
	KUNIT_EXPECT_EQ(test, s.w.bytes, (u64)s.len);
	KUNIT_EXPECT_EQ(test, s.len % VMQ_STREAM_ALIGN, 0);

	KUNIT_ASSERT_TRUE(test, vmq_stream_next(s.buf, s.len, &pos, &view));
	KUNIT_EXPECT_EQ(test, view.type, VMQ_RECORD_CORE);
	KUNIT_EXPECT_EQ(test, view.length, TEST_CORE_LEN);
	KUNIT_EXPECT_EQ(test, view.offset, TEST_CORE);
	for (i = 0; i < view.length; i++)
		KUNIT_EXPECT_EQ(test, view.data[i], 0xa0 + i);
	for (i = 0; i < 16; i++)
		KUNIT_EXPECT_EQ(test, view.ext[i] | view.class[i], 0);

	KUNIT_ASSERT_TRUE(test, vmq_stream_next(s.buf, s.len, &pos, &view));
	KUNIT_EXPECT_EQ(test, view.type, VMQ_RECORD_EXT);
	KUNIT_EXPECT_EQ(test, view.flags, 0);
	KUNIT_EXPECT_EQ(test, view.version, 1);
	KUNIT_EXPECT_EQ(test, view.length, TEST_EXT_LEN);
	KUNIT_EXPECT_MEMEQ(test, view.ext, test_ext, 16);
	KUNIT_EXPECT_MEMEQ(test, view.class, test_class, 16);

	KUNIT_ASSERT_TRUE(test, vmq_stream_next(s.buf, s.len, &pos, &view));
	KUNIT_EXPECT_EQ(test, view.flags, VMQ_RECORD_OPTIONAL);
	KUNIT_EXPECT_EQ(test, view.length, 0);
	KUNIT_EXPECT_FALSE(test, vmq_stream_next(s.buf, s.len, &pos, &view));
	KUNIT_EXPECT_FALSE(test, vmq_stream_next(s.buf, s.len, &pos, &view));
}

static void vmq_stream_no_records(struct kunit *test)
{
	struct vmq_stream_view view;
	struct vmq_stream_error err;
	struct test_stream s;
	size_t pos = 0;

	test_start(test, &s);
	test_end(&s);
	KUNIT_EXPECT_EQ(test, s.len, VMQ_STREAM_HDR_SIZE + VMQ_STREAM_END_SIZE);
	KUNIT_EXPECT_EQ(test, test_check(&s, &err), 0);
	KUNIT_EXPECT_FALSE(test, vmq_stream_next(s.buf, s.len, &pos, &view));
}

/* [O-33] the largest record there is */
static void vmq_stream_largest_record(struct kunit *test)
{
	struct vmq_stream_error err;
	struct test_stream s;
	__le32 length;

	test_start(test, &s);
	kunit_kfree(test, s.buf);
	s.buf = kunit_kzalloc(test, 2 * VMQ_RECORD_MAX, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, s.buf);
	s.len = vmq_stream_put_header(&s.w, s.buf, TEST_PRODUCER);
	KUNIT_EXPECT_EQ(test, vmq_stream_record_size(VMQ_RECORD_DATA_MAX),
			VMQ_RECORD_MAX);
	test_record(&s, VMQ_RECORD_EXT, 0, test_ext, VMQ_RECORD_DATA_MAX);
	test_end(&s);
	KUNIT_EXPECT_EQ(test, test_check(&s, &err), 0);

	length = cpu_to_le32(VMQ_RECORD_DATA_MAX + 1);
	memcpy(s.buf + TEST_CORE, &length, sizeof(length));
	test_refused(test, &s, -EINVAL, "record too long", TEST_CORE);
	length = cpu_to_le32(U32_MAX);
	memcpy(s.buf + TEST_CORE, &length, sizeof(length));
	test_refused(test, &s, -EINVAL, "record too long", TEST_CORE);
}

static void vmq_stream_cut_anywhere(struct kunit *test)
{
	struct vmq_stream_error err;
	struct test_stream s;
	size_t whole;

	test_stream(test, &s);
	whole = s.len;
	for (s.len = 0; s.len < whole; s.len++) {
		KUNIT_EXPECT_EQ_MSG(test, test_check(&s, &err), -EBADMSG,
				    "cut at %zu", s.len);
		KUNIT_EXPECT_EQ(test, err.offset, s.len);
	}
}

static void vmq_stream_any_bit_flipped(struct kunit *test)
{
	struct vmq_stream_error err;
	struct test_stream s;
	size_t bit;

	test_stream(test, &s);
	for (bit = 0; bit < s.len * 8; bit++) {
		s.buf[bit / 8] ^= BIT(bit % 8);
		if (!test_check(&s, &err))
			KUNIT_FAIL(test, "bit %zu is not noticed", bit);
		KUNIT_EXPECT_NOT_NULL(test, err.what);
		KUNIT_EXPECT_LE(test, err.offset, s.len);
		s.buf[bit / 8] ^= BIT(bit % 8);
	}
	KUNIT_EXPECT_EQ(test, test_check(&s, &err), 0);
}

/* A byte of the stream set to a value that no writer of this version produces. */
static const struct test_wrong {
	const char *what;
	size_t offset;		/* of the byte */
	u8 value;
	int code;
	size_t blamed;		/* offset in the error */
} test_wrongs[] = {
	{ "not a vmq stream", 0, 'v', -EINVAL, 0 },
	{ "not a vmq stream", 7, 0, -EINVAL, 0 },
	{ "unknown version of the stream format", 8, 0, -EOPNOTSUPP, 8 },
	{ "unknown version of the stream format", 8, 2, -EOPNOTSUPP, 8 },
	{ "unknown version of the stream format", 9, 1, -EOPNOTSUPP, 8 },
	{ "unknown flags in the stream header", 10, 1, -EOPNOTSUPP, 10 },
	{ "unknown flags in the stream header", 11, 0x80, -EOPNOTSUPP, 10 },
	{ "unknown type of record", TEST_EXT + 4, 3, -EOPNOTSUPP,
	  TEST_EXT + 4 },
	{ "unknown type of record", TEST_EXT + 5, 1, -EOPNOTSUPP,
	  TEST_EXT + 4 },
	{ "unknown flags in a record", TEST_EXT + 6, 2, -EOPNOTSUPP,
	  TEST_EXT + 6 },
	{ "unknown flags in a record", TEST_EXT + 7, 0x80, -EOPNOTSUPP,
	  TEST_EXT + 6 },
	{ "core record is not the first", TEST_EXT + 4, VMQ_RECORD_CORE,
	  -EINVAL, TEST_EXT },
	{ "identity in the core record", TEST_CORE + 8, 1, -EINVAL,
	  TEST_CORE + 8 },
	{ "reserved field of a record is not zero", TEST_CORE + 42, 1, -EINVAL,
	  TEST_CORE + 42 },
	{ "reserved field of a record is not zero", TEST_EXT + 47, 1, -EINVAL,
	  TEST_EXT + 42 },
	{ "padding of a record is not zero",
	  TEST_CORE + VMQ_RECORD_HDR + TEST_CORE_LEN, 1, -EINVAL,
	  TEST_CORE + VMQ_RECORD_HDR + TEST_CORE_LEN },
	{ "padding of a record is not zero", TEST_EXT - 1, 1, -EINVAL,
	  TEST_CORE + VMQ_RECORD_HDR + TEST_CORE_LEN },
	{ "record without an owner", TEST_CORE + 4, VMQ_RECORD_EXT, -EINVAL,
	  TEST_CORE + 8 },
	{ "end record of wrong length", TEST_END, 0, -EINVAL, TEST_END },
	{ "end record of wrong length", TEST_END, 16, -EINVAL, TEST_END },
	{ "flags in the end record", TEST_END + 6, VMQ_RECORD_OPTIONAL, -EINVAL,
	  TEST_END + 6 },
	{ "identity in the end record", TEST_END + 8, 1, -EINVAL,
	  TEST_END + 8 },
	{ "feature class in the end record", TEST_END + 39, 1, -EINVAL,
	  TEST_END + 24 },
	{ "version in the end record", TEST_END + 40, 1, -EINVAL,
	  TEST_END + 40 },
	{ "reserved field of a record is not zero", TEST_END + 42, 1, -EINVAL,
	  TEST_END + 42 },
	{ "wrong number of records", TEST_END + 48, 2, -EBADMSG,
	  TEST_END + 48 },
	{ "wrong number of records", TEST_END + 51, 1, -EBADMSG,
	  TEST_END + 48 },
};

static void test_wrong_name(const struct test_wrong *w, char *name)
{
	snprintf(name, KUNIT_PARAM_DESC_SIZE, "%s, byte %zu", w->what,
		 w->offset);
}

KUNIT_ARRAY_PARAM(test_wrong, test_wrongs, test_wrong_name);

/* With the checksum right: the field itself is what is refused. */
static void vmq_stream_wrong_field(struct kunit *test)
{
	const struct test_wrong *w = test->param_value;
	struct test_stream s;

	test_stream(test, &s);
	s.buf[w->offset] = w->value;
	test_refused(test, &s, w->code, w->what, w->blamed);
}

static void vmq_stream_core_twice(struct kunit *test)
{
	struct test_stream s;

	test_start(test, &s);
	test_record(&s, VMQ_RECORD_CORE, 0, NULL, 8);
	test_record(&s, VMQ_RECORD_CORE, 0, NULL, 8);
	test_end(&s);
	test_refused(test, &s, -EINVAL, "core record is not the first",
		     TEST_CORE + 56);
}

static void vmq_stream_unknown_optional_type(struct kunit *test)
{
	struct vmq_stream_view view;
	struct vmq_stream_error err;
	struct test_stream s;
	size_t pos = 0;

	test_start(test, &s);
	test_record(&s, 77, VMQ_RECORD_OPTIONAL, test_ext, 5);
	test_record(&s, VMQ_RECORD_EXT, 0, test_ext, 5);
	test_end(&s);
	KUNIT_EXPECT_EQ(test, test_check(&s, &err), 0);
	KUNIT_ASSERT_TRUE(test, vmq_stream_next(s.buf, s.len, &pos, &view));
	KUNIT_EXPECT_EQ(test, view.type, 77);
	KUNIT_ASSERT_TRUE(test, vmq_stream_next(s.buf, s.len, &pos, &view));
	KUNIT_EXPECT_EQ(test, view.type, VMQ_RECORD_EXT);
}

static void vmq_stream_bytes_after_end(struct kunit *test)
{
	struct vmq_stream_parser p = {};
	struct vmq_stream_error err;
	struct test_stream s;

	test_stream(test, &s);
	KUNIT_EXPECT_EQ(test, vmq_stream_parse(&p, s.buf, s.len, &err), 1);
	/* noticed later as well as at once */
	KUNIT_EXPECT_EQ(test, vmq_stream_parse(&p, s.buf, s.len + 1, &err),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, err.offset, s.len);
	s.len++;
	KUNIT_EXPECT_EQ(test, test_check(&s, &err), -EINVAL);
	KUNIT_EXPECT_STREQ(test, err.what, "bytes after the end record");
}

static void vmq_stream_fed_in_pieces(struct kunit *test)
{
	struct vmq_stream_parser p;
	struct vmq_stream_error err;
	struct test_stream s;
	size_t piece, len, need;
	int ret;

	test_stream(test, &s);
	for (piece = 1; piece <= s.len; piece++) {
		memset(&p, 0, sizeof(p));
		for (len = 0, ret = 0; !ret && len < s.len; ) {
			len = min(len + piece, s.len);
			ret = vmq_stream_parse(&p, s.buf, len, &err);
			if (!ret)
				KUNIT_EXPECT_GT(test, p.need, len);
		}
		KUNIT_EXPECT_EQ_MSG(test, ret, 1, "pieces of %zu", piece);
		KUNIT_EXPECT_EQ(test, len, s.len);
		KUNIT_EXPECT_EQ(test, p.count, 3);
	}

	/* as much as it says it needs is enough to get on */
	memset(&p, 0, sizeof(p));
	for (need = 0, len = 0; len < 16; len++) {
		ret = vmq_stream_parse(&p, s.buf, need, &err);
		if (ret)
			break;
		KUNIT_ASSERT_GT(test, p.need, need);
		KUNIT_ASSERT_LE(test, p.need, s.len);
		need = p.need;
	}
	KUNIT_EXPECT_EQ(test, ret, 1);
	KUNIT_EXPECT_EQ(test, need, s.len);
}

/* What is wrong is refused when it is there, not when all is there. */
static void vmq_stream_refused_early(struct kunit *test)
{
	struct vmq_stream_parser p = {};
	struct vmq_stream_error err;
	struct test_stream s;

	KUNIT_EXPECT_EQ(test, vmq_stream_parse(&p, "VMQ", 3, &err), 0);
	KUNIT_EXPECT_EQ(test, vmq_stream_parse(&p, "VMX", 3, &err), -EINVAL);

	test_stream(test, &s);
	s.buf[TEST_EXT + 42] = 1;
	memset(&p, 0, sizeof(p));
	KUNIT_EXPECT_EQ(test, vmq_stream_parse(&p, s.buf, TEST_EXT + 47, &err),
			0);
	KUNIT_EXPECT_EQ(test, vmq_stream_parse(&p, s.buf, TEST_EXT + 48, &err),
			-EINVAL);
}

/* Neither garbage nor a damaged stream makes it read where it may not. */
static void vmq_stream_fuzz(struct kunit *test)
{
	struct vmq_stream_view view;
	struct vmq_stream_error err;
	struct rnd_state rnd;
	struct test_stream s;
	size_t pos, len;
	unsigned int i;
	u8 *copy;
	u32 n;

	test_stream(test, &s);
	prandom_seed_state(&rnd, 20251122);
	for (i = 0; i < TEST_FUZZ; i++) {
		len = prandom_u32_state(&rnd) % (s.len + 16) + 1;
		/* of that size exactly, so that KASAN sees a byte too many */
		copy = kzalloc(len, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, copy);
		if (i & 1)
			prandom_bytes_state(&rnd, copy, len);
		memcpy(copy, s.buf, min(len, i & 1 ? 16 : s.len));
		for (n = i % 5; n; n--)
			copy[prandom_u32_state(&rnd) % len] =
				prandom_u32_state(&rnd);
		if (!vmq_stream_check(copy, len, &n, &err) &&
		    (len != s.len || memcmp(copy, s.buf, len)))
			KUNIT_FAIL(test, "round %u was accepted", i);
		for (pos = 0; vmq_stream_next(copy, len, &pos, &view); )
			KUNIT_EXPECT_LE(test, pos, len);
		kfree(copy);
		if (!(i % 1024))
			cond_resched();
	}
}

static struct kunit_case vmq_stream_cases[] = {
	KUNIT_CASE(vmq_stream_round_trip),
	KUNIT_CASE(vmq_stream_no_records),
	KUNIT_CASE(vmq_stream_largest_record),
	KUNIT_CASE(vmq_stream_cut_anywhere),
	KUNIT_CASE(vmq_stream_any_bit_flipped),
	KUNIT_CASE_PARAM(vmq_stream_wrong_field, test_wrong_gen_params),
	KUNIT_CASE(vmq_stream_core_twice),
	KUNIT_CASE(vmq_stream_unknown_optional_type),
	KUNIT_CASE(vmq_stream_bytes_after_end),
	KUNIT_CASE(vmq_stream_fed_in_pieces),
	KUNIT_CASE(vmq_stream_refused_early),
	KUNIT_CASE_SLOW(vmq_stream_fuzz),
	{}
};

static struct kunit_suite vmq_stream_suite = {
	.name = "vmq-stream",
	.test_cases = vmq_stream_cases,
};

kunit_test_suites(&vmq_stream_suite);
