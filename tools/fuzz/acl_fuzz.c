// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzer of the parser of acl's records, the very file that the module has. An
 * input is a record.
 */
#include <netinet/in.h>

#include "../../drivers/net/vmq/ext/acl_record.h"
#include "fuzz.h"

unsigned long fuzz_accepted;

static void fuzz_conn(const struct vmq_acl_rec_conn *conn)
{
	unsigned int i;

	if (!conn->state || conn->state >= VMQ_ACL_STATES)
		fuzz_fail("accepted a state that is none");
	if (conn->direction > 1 || le16_to_cpu(conn->vlan) > 4095)
		fuzz_fail("accepted with nonsense");
	if (!conn->timeout_ms ||
	    le32_to_cpu(conn->timeout_ms) > VMQ_ACL_REC_TIMEOUT_MAX)
		fuzz_fail("accepted with a timeout out of range");
	if (conn->flags && conn->proto != IPPROTO_TCP)
		fuzz_fail("accepted with flags of TCP");
	for (i = 4; conn->family == VMQ_ACL_REC_IPV4 && i < 16; i++)
		if (conn->local[i] || conn->remote[i])
			fuzz_fail("accepted with addresses that are too long");
	fuzz_accepted++;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct vmq_acl_rec_conn conn;
	u8 *buf = fuzz_copy(data, size);
	u32 i;

	if (!acl_rec_check(buf, size)) {
		if (!acl_rec_count(buf))
			fuzz_fail("accepted with nothing in it");
		for (i = 0; i < acl_rec_count(buf); i++) {
			acl_rec_get(buf, i, &conn);
			if (!acl_rec_conn_check(&conn))
				fuzz_conn(&conn);
		}
	}
	free(buf);
	return 0;
}
