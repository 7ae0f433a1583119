// SPDX-License-Identifier: GPL-2.0
/*
 * Records of the extension guard, described in
 * drivers/net/vmq/ext/guard_record.h.
 */
#include <string.h>

#include "attr.h"
#include "out.h"
#include "stream.h"
#include "vmqctl.h"

#include "guard_record.h"

#define HDR(field)	offsetof(struct vmq_guard_rec_hdr, field)
#define BINDING(field)	offsetof(struct vmq_guard_rec_binding, field)
#define TRANSACTION(field) offsetof(struct vmq_guard_rec_transaction, field)

const uint8_t guard_uuid[16] = VMQ_GUARD_UUID_BYTES;

static const char *const origins[] = {
	[VMQ_GUARD_REC_DHCP4] = "dhcp4",
	[VMQ_GUARD_REC_DHCP6] = "dhcp6",
	[VMQ_GUARD_REC_DAD] = "dad",
};

static size_t show_family(uint8_t family)
{
	if (family == VMQ_GUARD_REC_IPV4)
		out_cstr("family", "ip");
	else if (family == VMQ_GUARD_REC_IPV6)
		out_cstr("family", "ipv6");
	else
		out_uint("family", family);
	return family == VMQ_GUARD_REC_IPV4 ? 4 : 16;
}

static void show_binding(const uint8_t *b)
{
	size_t ip = show_family(b[BINDING(family)]);
	uint64_t lease = get_le64(b + BINDING(lease_ms));
	uint8_t origin = b[BINDING(origin)];

	out_ip("ip", b + BINDING(addr), ip);
	out_uint("ip-len", b[BINDING(prefix_len)]);
	out_mac("mac", b + BINDING(mac));
	out_uint("vlan", get_le16(b + BINDING(vlan)));
	if (origin < ARRAY_SIZE(origins) && origins[origin])
		out_cstr("origin", origins[origin]);
	else
		out_uint("origin", origin);
	if (lease != VMQ_GUARD_REC_FOREVER)
		out_uint("lease-ms", lease);
}

static void show_transaction(const uint8_t *t)
{
	static const uint8_t none[4];

	show_family(t[TRANSACTION(family)]);
	out_hex("xid", get_le32(t + TRANSACTION(xid)), 8);
	out_mac("mac", t + TRANSACTION(mac));
	out_uint("vlan", get_le16(t + TRANSACTION(vlan)));
	out_uint("wait-ms", get_le32(t + TRANSACTION(wait_ms)));
	if (memcmp(t + TRANSACTION(requested), none, sizeof(none)))
		out_ip("requested", t + TRANSACTION(requested), 4);
}

void stream_show_guard(const uint8_t *data, size_t len, struct data_error *err)
{
	static const struct {
		const char *name;
		size_t size;
		void (*show)(const uint8_t *entry);
	} kinds[] = {
		[VMQ_GUARD_REC_BINDINGS] = {
			"binding", sizeof(struct vmq_guard_rec_binding),
			show_binding },
		[VMQ_GUARD_REC_TRANSACTIONS] = {
			"transaction", sizeof(struct vmq_guard_rec_transaction),
			show_transaction },
	};
	size_t entry, count, kind, i;

	if (len < sizeof(struct vmq_guard_rec_hdr)) {
		err->what = "a record of guard is too short";
		return;
	}
	entry = get_le16(data + HDR(entry_size));
	kind = get_le16(data + HDR(kind));
	count = get_le32(data + HDR(count));
	if (kind >= ARRAY_SIZE(kinds) || !kinds[kind].name) {
		err->what = "a record of guard is of an unknown kind";
		err->offset = HDR(kind);
		return;
	}
	if (entry < kinds[kind].size || entry > VMQ_GUARD_REC_ENTRY_MAX ||
	    entry % 8) {
		err->what = "the entries of a record of guard have the wrong size";
		err->offset = HDR(entry_size);
		return;
	}
	len -= sizeof(struct vmq_guard_rec_hdr);
	if (!count || len % entry || count != len / entry) {
		err->what = "the number of entries does not fit the record";
		err->offset = HDR(count);
		return;
	}

	out_objs_begin(kinds[kind].name);
	for (i = 0; i < count; i++) {
		out_obj_begin(NULL);
		kinds[kind].show(data + sizeof(struct vmq_guard_rec_hdr) +
				 i * entry);
		out_obj_end();
	}
	out_objs_end();
}
