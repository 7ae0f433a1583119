// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzer of what guard reads: its records, DHCP and DHCPv6 messages, in the very
 * files that the module has. The first byte of an input says what it is, of its
 * value modulo 4: 0 and 1 records of these data versions plus 1, 2 DHCP, 3 DHCPv6.
 */
#include "../../drivers/net/vmq/ext/guard_dhcp.h"
#include "../../drivers/net/vmq/ext/guard_record.h"
#include "fuzz.h"

/* Not static, so that the reads that it stands for are not optimized away. */
u32 fuzz_sum;

unsigned long fuzz_accepted;

/* An accepted entry is one that is accepted alone, too. */
static void fuzz_record(const u8 *buf, size_t len, u16 version)
{
	struct vmq_guard_rec_transaction transaction;
	struct vmq_guard_rec_binding binding;
	u32 i;

	if (guard_rec_check(buf, len, version))
		return;
	fuzz_accepted++;
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
	fuzz_accepted += !!msg.lease;
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
	fuzz_accepted += msg.n > 1;
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
	buf = fuzz_copy(data + 1, len);
	if (data[0] % 4 < 2)
		fuzz_record(buf, len, data[0] % 4 + 1);
	else if (data[0] % 4 == 2)
		fuzz_dhcp4(buf, len);
	else
		fuzz_dhcp6(buf, len);
	free(buf);
	return 0;
}
