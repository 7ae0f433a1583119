// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzer of what guard reads: its records, DHCP and DHCPv6 messages, in the very
 * files that the module has.
 *
 * With libFuzzer (make guard_fuzz CC=clang FUZZER=1) inputs are mutated by
 * coverage; without, a loop damages good ones: guard_fuzz [ROUNDS [SEED]]. The
 * first byte of an input says what it is: 0 and 1 records of these data versions
 * plus 1, 2 DHCP, 3 DHCPv6, of its value modulo 4.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../drivers/net/vmq/ext/guard_dhcp.h"
#include "../../drivers/net/vmq/ext/guard_record.h"

#define FUZZ_MAX	1024

/* Not static, so that the reads that it stands for are not optimized away. */
u32 fuzz_sum;

/* Inputs that were no good for anything but refusals try little. */
unsigned long fuzz_accepted[4];

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void fuzz_fail(const char *what)
{
	fprintf(stderr, "guard_fuzz: %s\n", what);
	abort();
}

/* An accepted entry is one that is accepted alone, too. */
static void fuzz_record(const u8 *buf, size_t len, u16 version)
{
	struct vmq_guard_rec_transaction transaction;
	struct vmq_guard_rec_binding binding;
	u32 i;

	if (guard_rec_check(buf, len, version))
		return;
	fuzz_accepted[version - 1]++;
	for (i = 0; i < guard_rec_count(buf); i++) {
		if (version == VMQ_GUARD_REC_VERSION_TRANSACTIONS) {
			guard_rec_get_transaction(buf, i, &transaction);
			fuzz_sum += le32_to_cpu(transaction.xid);
			if (!transaction.wait_ms ||
			    le32_to_cpu(transaction.wait_ms) >
			    VMQ_GUARD_REC_WAIT_MAX)
				fuzz_fail("accepted with a time out of range");
			continue;
		}
		guard_rec_get_binding(buf, i, &binding);
		if (guard_rec_binding_check(&binding))
			fuzz_fail("accepted with a bad binding");
		if (!binding.lease_ms || !binding.prefix_len ||
		    binding.prefix_len > (binding.family == 4 ? 32 : 128))
			fuzz_fail("accepted with nonsense");
	}
	if (!i)
		fuzz_fail("accepted with nothing in it");
}

static void fuzz_dhcp4(const u8 *buf, size_t len)
{
	struct guard_dhcp4 msg;

	if (guard_dhcp4_parse(buf, len, &msg))
		return;
	if (len < 236 || (msg.type && len < 243))
		fuzz_fail("read DHCP where there is none");
	fuzz_accepted[2] += !!msg.lease;
	fuzz_sum += msg.lease + msg.xid + msg.yiaddr[0];
}

static void fuzz_dhcp6(const u8 *buf, size_t len)
{
	struct guard_dhcp6 msg;
	unsigned int i, bit;

	if (guard_dhcp6_parse(buf, len, &msg))
		return;
	if (msg.n > GUARD_DHCP6_ADDRS || (msg.n && len < 4 + 16 + 28))
		fuzz_fail("read more addresses than there are");
	fuzz_accepted[3] += msg.n > 1;
	for (i = 0; i < msg.n; i++) {
		if (!msg.addr[i].len || msg.addr[i].len > 128)
			fuzz_fail("read a prefix of no length");
		for (bit = msg.addr[i].len; bit < 128; bit++)
			if (msg.addr[i].addr[bit / 8] & 0x80 >> bit % 8)
				fuzz_fail("read bits behind a prefix");
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	size_t len = size - 1;
	u8 *buf;

	if (!size)
		return 0;
	/* of that size exactly, so that a byte too many is noticed */
	buf = malloc(len ? len : 1);
	if (!buf)
		abort();
	memcpy(buf, data + 1, len);
	if (data[0] % 4 < 2)
		fuzz_record(buf, len, data[0] % 4 + 1);
	else if (data[0] % 4 == 2)
		fuzz_dhcp4(buf, len);
	else
		fuzz_dhcp6(buf, len);
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

static size_t good_record(u8 *buf, u16 version, u32 *seed)
{
	struct vmq_guard_rec_hdr hdr = { .kind = cpu_to_le16(version) };
	u32 i, n = fuzz_rand(seed) % 4 + 1;
	size_t entry = version == 1 ? sizeof(struct vmq_guard_rec_binding) :
				      sizeof(struct vmq_guard_rec_transaction);

	entry += fuzz_rand(seed) % 2 * 8;
	hdr.entry_size = cpu_to_le16(entry);
	hdr.count = cpu_to_le32(n);
	memcpy(buf, &hdr, sizeof(hdr));
	memset(buf + sizeof(hdr), 0, n * entry);
	for (i = 0; i < n; i++) {
		struct vmq_guard_rec_transaction t = {
			.family = VMQ_GUARD_REC_IPV4, .mac = { 2, 3 },
			.wait_ms = cpu_to_le32(1000), .xid = 7,
		};
		struct vmq_guard_rec_binding b = {
			.family = VMQ_GUARD_REC_IPV6, .prefix_len = 64,
			.origin = VMQ_GUARD_REC_DHCP6, .mac = { 2, 3 },
			.lease_ms = cpu_to_le64(1000), .addr = { 0xfd, 1 },
		};

		memcpy(buf + sizeof(hdr) + i * entry,
		       version == 1 ? (void *)&b : (void *)&t,
		       version == 1 ? sizeof(b) : sizeof(t));
	}
	return sizeof(hdr) + n * entry;
}

static size_t good_dhcp4(u8 *buf)
{
	static const u8 options[] = {
		0x63, 0x82, 0x53, 0x63, 53, 1, 5, 51, 4, 0, 0, 2, 0, 52, 1, 3,
		255 };

	memset(buf, 0, 236);
	memcpy(buf, (u8 []){ 2, 1, 6 }, 3);
	memcpy(buf + 108, (u8 []){ 50, 4, 10, 0, 0, 1, 255 }, 7);
	memcpy(buf + 236, options, sizeof(options));
	return 236 + sizeof(options);
}

static size_t good_dhcp6(u8 *buf)
{
	static const u8 msg[] = {
		7, 1, 2, 3, 0, 13, 0, 2, 0, 0,
		0, 3, 0, 46, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3,
		0, 5, 0, 30, 0xfd, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
		14, 15, 0, 0, 0, 1, 0, 0, 0, 2, 0, 13, 0, 2, 0, 0,
		0, 25, 0, 41, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3,
		0, 26, 0, 25, 0, 0, 0, 1, 0, 0, 0, 2, 56, 0xfd, 1, 2, 3, 4, 5,
		6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };

	memcpy(buf, msg, sizeof(msg));
	return sizeof(msg);
}

int main(int argc, char **argv)
{
	unsigned long i, rounds = argc > 1 ? strtoul(argv[1], NULL, 0) : 400000;
	u32 n, seed = argc > 2 ? strtoul(argv[2], NULL, 0) : 1;
	u8 data[FUZZ_MAX];
	size_t len;

	for (i = 0; i < rounds; i++) {
		data[0] = i % 4;
		if (i % 4 < 2)
			len = good_record(data + 1, i % 4 + 1, &seed);
		else if (i % 4 == 2)
			len = good_dhcp4(data + 1);
		else
			len = good_dhcp6(data + 1);
		len++;
		for (n = fuzz_rand(&seed) % 6; n; n--)
			data[1 + fuzz_rand(&seed) % (len - 1)] =
				fuzz_rand(&seed) >> (fuzz_rand(&seed) & 31);
		/* where the options of DHCP are */
		for (n = fuzz_rand(&seed) % 4; n && i % 4 == 2; n--)
			data[237 + fuzz_rand(&seed) % (len - 237)] =
				fuzz_rand(&seed);
		if (!(fuzz_rand(&seed) % 4))
			len = fuzz_rand(&seed) % (len + 1);
		LLVMFuzzerTestOneInput(data, len);
	}
	for (i = 0; i < 4; i++)
		if (fuzz_accepted[i] < rounds / 100)
			fuzz_fail("hardly any input was accepted");
	printf("%lu records and messages of guard, nothing found\n", rounds);
	return 0;
}
#endif
