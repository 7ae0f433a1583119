// SPDX-License-Identifier: GPL-2.0
/*
 * Records of the extension acl, described in drivers/net/vmq/ext/acl_record.h.
 */
#include "attr.h"
#include "out.h"
#include "stream.h"
#include "vmqctl.h"

#include "acl_record.h"

#define HDR(field)	offsetof(struct vmq_acl_rec_hdr, field)
#define CONN(field)	offsetof(struct vmq_acl_rec_conn, field)

const uint8_t acl_uuid[16] = VMQ_ACL_UUID_BYTES;

static const char *const states[VMQ_ACL_STATES] = {
	[VMQ_ACL_NEW] = "new",
	[VMQ_ACL_REPLIED] = "replied",
	[VMQ_ACL_SYN_ACK] = "syn-ack",
	[VMQ_ACL_ESTABLISHED] = "established",
	[VMQ_ACL_FIN_WAIT] = "fin-wait",
	[VMQ_ACL_CLOSING] = "closing",
	[VMQ_ACL_CLOSED] = "closed",
};

static void show_conn(const uint8_t *c)
{
	size_t ip = c[CONN(family)] == VMQ_ACL_REC_IPV4 ? 4 : 16;
	uint16_t flags = get_le16(c + CONN(flags));
	uint8_t state = c[CONN(state)];

	if (c[CONN(family)] == VMQ_ACL_REC_IPV4)
		out_cstr("family", "ip");
	else if (c[CONN(family)] == VMQ_ACL_REC_IPV6)
		out_cstr("family", "ipv6");
	else
		out_uint("family", c[CONN(family)]);
	out_proto("ip-proto", c[CONN(proto)]);
	if (state < ARRAY_SIZE(states) && states[state])
		out_cstr("state", states[state]);
	else
		out_uint("state", state);
	if (c[CONN(direction)] < 2)
		out_cstr("direction", c[CONN(direction)] ? "out" : "in");
	else
		out_uint("direction", c[CONN(direction)]);
	out_ip("local", c + CONN(local), ip);
	out_ip("remote", c + CONN(remote), ip);
	out_uint("local-port", get_le16(c + CONN(local_port)));
	out_uint("remote-port", get_le16(c + CONN(remote_port)));
	out_uint("timeout-ms", get_le32(c + CONN(timeout_ms)));
	out_uint("packets-in", get_le64(c + CONN(packets_in)));
	out_uint("packets-out", get_le64(c + CONN(packets_out)));
	out_uint("vlan", get_le16(c + CONN(vlan)));
	if (flags) {
		out_list_begin("flags");
		if (flags & VMQ_ACL_REC_FIN_IN)
			out_cstr(NULL, "fin-in");
		if (flags & VMQ_ACL_REC_FIN_OUT)
			out_cstr(NULL, "fin-out");
		if (flags & ~VMQ_ACL_REC_FLAGS)
			out_hex(NULL, flags & ~VMQ_ACL_REC_FLAGS, 4);
		out_list_end();
	}
}

void stream_show_acl(const uint8_t *data, size_t len, struct data_error *err)
{
	size_t entry, count, i;

	if (len < sizeof(struct vmq_acl_rec_hdr)) {
		err->what = "a record of acl is too short";
		return;
	}
	entry = get_le16(data + HDR(entry_size));
	count = get_le32(data + HDR(count));
	if (entry < sizeof(struct vmq_acl_rec_conn) ||
	    entry > VMQ_ACL_REC_ENTRY_MAX || entry % 8) {
		err->what = "connections of acl have the wrong size";
		err->offset = HDR(entry_size);
		return;
	}
	if (get_le16(data + HDR(reserved))) {
		err->what = "the reserved field of a record of acl is not zero";
		err->offset = HDR(reserved);
		return;
	}
	len -= sizeof(struct vmq_acl_rec_hdr);
	if (!count || len % entry || count != len / entry) {
		err->what = "the number of connections does not fit the record";
		err->offset = HDR(count);
		return;
	}

	out_objs_begin("connection");
	for (i = 0; i < count; i++) {
		out_obj_begin(NULL);
		show_conn(data + sizeof(struct vmq_acl_rec_hdr) + i * entry);
		out_obj_end();
	}
	out_objs_end();
}
