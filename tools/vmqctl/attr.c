// SPDX-License-Identifier: GPL-2.0
/*
 * Attributes: found in a message, shown by their table, named in an error.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include <libmnl/libmnl.h>

#include "attr.h"
#include "out.h"
#include "vmqctl.h"

static const struct {
	const char *name;
	uint8_t number;
} protos[] = {
	{ "tcp", IPPROTO_TCP },
	{ "udp", IPPROTO_UDP },
	{ "icmp", IPPROTO_ICMP },
	{ "icmpv6", IPPROTO_ICMPV6 },
	{ "sctp", IPPROTO_SCTP },
};

const char *proto_name(uint8_t proto)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(protos); i++)
		if (protos[i].number == proto)
			return protos[i].name;
	return NULL;
}

int proto_number(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(protos); i++)
		if (!strcmp(protos[i].name, name))
			return protos[i].number;
	return -1;
}

void out_proto(const char *key, uint8_t proto)
{
	const char *name = proto_name(proto);

	if (name)
		out_cstr(key, name);
	else
		out_uint(key, proto);
}

void out_mac(const char *key, const void *mac)
{
	const unsigned char *m = mac;
	char buf[18];

	snprintf(buf, sizeof(buf), "%02x:%02x:%02x:%02x:%02x:%02x",
		 m[0], m[1], m[2], m[3], m[4], m[5]);
	out_cstr(key, buf);
}

/* Anything but 4 or 16 bytes is no address, and shown as it is. */
void out_ip(const char *key, const void *addr, size_t len)
{
	char buf[INET6_ADDRSTRLEN];

	if (len == 4 && inet_ntop(AF_INET, addr, buf, sizeof(buf)))
		out_cstr(key, buf);
	else if (len == 16 && inet_ntop(AF_INET6, addr, buf, sizeof(buf)))
		out_cstr(key, buf);
	else
		out_bytes(key, addr, len);
}

void out_uuid(const char *key, const void *uuid)
{
	const unsigned char *u = uuid;
	char buf[37];

	snprintf(buf, sizeof(buf),
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7],
		 u[8], u[9], u[10], u[11], u[12], u[13], u[14], u[15]);
	out_cstr(key, buf);
}

const struct nlattr *attr_find(const void *buf, size_t len, uint16_t type)
{
	const struct nlattr *attr;

	mnl_attr_for_each_payload(buf, len)
		if (mnl_attr_get_type(attr) == type)
			return attr;
	return NULL;
}

static bool read_uint(const struct nlattr *attr, uint64_t *v)
{
	const void *p = mnl_attr_get_payload(attr);

	switch (mnl_attr_get_payload_len(attr)) {
	case sizeof(uint8_t):
		*v = *(const uint8_t *)p;
		return true;
	case sizeof(uint16_t):
		*v = *(const uint16_t *)p;
		return true;
	case sizeof(uint32_t):
		*v = *(const uint32_t *)p;
		return true;
	case sizeof(uint64_t):
		/* 4 bytes is all the alignment that netlink gives */
		memcpy(v, p, sizeof(*v));
		return true;
	}
	return false;
}

bool attr_get_uint(const void *buf, size_t len, uint16_t type, uint64_t *v)
{
	const struct nlattr *attr = attr_find(buf, len, type);

	return attr && read_uint(attr, v);
}

const char *attr_get_str(const void *buf, size_t len, uint16_t type)
{
	const struct nlattr *attr = attr_find(buf, len, type);

	if (!attr || mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) < 0)
		return NULL;
	return mnl_attr_get_str(attr);
}

static void show_uint(const struct attr_desc *d, const char *key, uint64_t v,
		      size_t size)
{
	unsigned int i;

	switch (d->kind) {
	case ATTR_HEX:
		out_hex(key, v, size * 2);
		break;
	case ATTR_BOOL:
		out_bool(key, v);
		break;
	case ATTR_PROTO:
		out_proto(key, v);
		break;
	case ATTR_ENUM:
		if (v < d->n_values && d->values[v])
			out_cstr(key, d->values[v]);
		else
			out_uint(key, v);
		break;
	case ATTR_FLAGS:
		out_list_begin(key);
		for (i = 0; i < d->n_values; i++) {
			if (v >> i & 1)
				out_cstr(NULL, d->values[i]);
			v &= ~(1ULL << i);
		}
		if (v)
			out_hex(NULL, v, 1);
		out_list_end();
		break;
	default:
		out_uint(key, v);
		break;
	}
}

static void show_one(const struct attr_desc *d, const char *key,
		     const struct nlattr *attr)
{
	size_t len = mnl_attr_get_payload_len(attr);
	const void *p = mnl_attr_get_payload(attr);
	uint64_t v;

	switch (d->kind) {
	case ATTR_NONE:
		break;
	case ATTR_IFINDEX:
	case ATTR_UINT:
	case ATTR_HEX:
	case ATTR_BOOL:
	case ATTR_ENUM:
	case ATTR_FLAGS:
	case ATTR_PROTO:
		if (read_uint(attr, &v))
			show_uint(d, key, v, len);
		else
			out_bytes(key, p, len);
		break;
	case ATTR_STR:
		out_str(key, p, strnlen(p, len));
		break;
	case ATTR_FLAG:
		out_flag(key);
		break;
	case ATTR_MAC:
		if (len == 6)
			out_mac(key, p);
		else
			out_bytes(key, p, len);
		break;
	case ATTR_IP:
		out_ip(key, p, len);
		break;
	case ATTR_BYTES:
		out_bytes(key, p, len);
		break;
	case ATTR_NEST:
		out_obj_begin(key);
		attr_show(d->nested, p, len, false);
		out_obj_end();
		break;
	}
}

/* Shows all attributes of the type as one array, which may be empty. */
void attr_show_list(const struct attr_set *set, uint16_t type, const void *buf,
		    size_t len)
{
	const struct attr_desc *d = &set->attr[type];
	const struct nlattr *attr;

	if (d->kind == ATTR_NEST)
		out_objs_begin(d->name);
	else
		out_list_begin(d->name);
	mnl_attr_for_each_payload(buf, len)
		if (mnl_attr_get_type(attr) == type)
			show_one(d, NULL, attr);
	if (d->kind == ATTR_NEST)
		out_objs_end();
	else
		out_list_end();
}

/* Shows the attribute of this type, if it is there. */
void attr_show_type(const struct attr_set *set, uint16_t type, const void *buf,
		    size_t len)
{
	const struct nlattr *attr = attr_find(buf, len, type);

	if (attr && set->attr[type].list)
		attr_show_list(set, type, buf, len);
	else if (attr)
		show_one(&set->attr[type], set->attr[type].name, attr);
}

/* Finds, in one pass, the first attribute of each type that the set knows. */
static void find_all(const struct attr_set *set, const void *buf, size_t len,
		     const struct nlattr **found)
{
	const struct nlattr *attr;
	uint16_t type;

	memset(found, 0, set->n * sizeof(*found));
	mnl_attr_for_each_payload(buf, len) {
		type = mnl_attr_get_type(attr);
		if (type < set->n && !found[type])
			found[type] = attr;
	}
}

/*
 * Shows the attributes in buf that the set knows, in the order of the set.
 * lines: text may take several lines.
 */
void attr_show(const struct attr_set *set, const void *buf, size_t len,
	       bool lines)
{
	const struct nlattr *found[set->n];
	const struct attr_desc *d;
	uint16_t type;

	if (set->text && !out_is_json()) {
		set->text(buf, len);
		return;
	}
	find_all(set, buf, len, found);
	for (type = 1; type < set->n; type++) {
		d = &set->attr[type];
		if (!found[type] || d->kind == ATTR_NONE)
			continue;
		if (d->kind == ATTR_IFINDEX && found[ATTR_DEV])
			continue;
		if (lines && d->new_line)
			out_break();
		if (d->list)
			attr_show_list(set, type, buf, len);
		else
			show_one(d, d->name, found[type]);
	}
}

/*
 * The name of the attribute whose header is offset bytes into buf, with those
 * that it is nested in ("config.add.src") and with its value if that is a word or
 * a number ("dev vmq0"), or NULL.
 */
const char *attr_path(const struct attr_set *set, const void *buf, size_t len,
		      size_t offset)
{
	const struct attr_desc *d;
	const struct nlattr *attr;
	static char path[128];
	size_t start, used = 0;
	uint64_t v;

again:
	mnl_attr_for_each_payload(buf, len) {
		start = (const char *)attr - (const char *)buf;
		if (offset < start || offset >= start + attr->nla_len)
			continue;
		if (mnl_attr_get_type(attr) >= set->n)
			return NULL;
		d = &set->attr[mnl_attr_get_type(attr)];
		if (!d->name)
			return NULL;
		used += snprintf(path + used, sizeof(path) - used, "%s%s",
				 used ? "." : "", d->name);
		if (used >= sizeof(path))
			return NULL;
		if (d->kind == ATTR_STR &&
		    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
			snprintf(path + used, sizeof(path) - used, " %s",
				 mnl_attr_get_str(attr));
		else if (d->kind == ATTR_UINT && read_uint(attr, &v))
			snprintf(path + used, sizeof(path) - used, " %" PRIu64,
				 v);
		if (offset < start + MNL_ATTR_HDRLEN || !d->nested)
			return path;
		offset -= start + MNL_ATTR_HDRLEN;
		buf = mnl_attr_get_payload(attr);
		len = mnl_attr_get_payload_len(attr);
		set = d->nested;
		goto again;
	}
	return used ? path : NULL;
}
