/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Attributes: what they are called and how they are shown. The tables say the
 * same as Documentation/netlink/specs/vmq.yaml.
 */
#ifndef _VMQCTL_ATTR_H
#define _VMQCTL_ATTR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum attr_kind {
	ATTR_NONE,		/* not shown: unknown, padding, descriptors */
	ATTR_IFINDEX,		/* shown where the name is missing */
	ATTR_UINT,		/* of any size */
	ATTR_HEX,		/* the same, hexadecimal in text */
	ATTR_BOOL,
	ATTR_ENUM,
	ATTR_FLAGS,
	ATTR_PROTO,
	ATTR_STR,
	ATTR_FLAG,
	ATTR_MAC,
	ATTR_IP,
	ATTR_BYTES,		/* as hexadecimal digits */
	ATTR_NEST,
};

struct attr_set;

struct attr_desc {
	const char *name;
	enum attr_kind kind;
	bool list;		/* may be there more than once: an array */
	bool new_line;		/* text: begins a line, where lines are broken */
	const char *const *values;
	unsigned int n_values;
	const struct attr_set *nested;
};

struct attr_set {
	const struct attr_desc *attr;
	unsigned int n;
	/* shows the attributes as text, where a pair for each would not read well */
	void (*text)(const void *buf, size_t len);
};

/* Type of the interface name in every set that has one (1 is its index). */
#define ATTR_DEV	2

#define ATTR_SET(id)							\
	const struct attr_set id##_set = {				\
		.attr = id##_attrs, .n = ARRAY_SIZE(id##_attrs),	\
	}
#define ATTR(id, knd)		{ .name = id, .kind = ATTR_##knd }
#define ATTR_LN(id, knd)	{ .name = id, .kind = ATTR_##knd, .new_line = true }
#define ATTR_VALUES(id, knd, vals)					\
	{ .name = id, .kind = ATTR_##knd, .values = vals,		\
	  .n_values = ARRAY_SIZE(vals) }
#define ATTR_NESTED(id, set, many)					\
	{ .name = id, .kind = ATTR_NEST, .nested = &(set), .list = many }

extern const struct attr_set adapter_set;
extern const struct attr_set queue_set;
extern const struct attr_set filter_set;
extern const struct attr_set port_set;
extern const struct attr_set vf_set;
extern const struct attr_set ext_set;
extern const struct attr_set ext_user_set;
extern const struct attr_set status_set;

struct nlattr;

const struct nlattr *attr_find(const void *buf, size_t len, uint16_t type);
bool attr_get_uint(const void *buf, size_t len, uint16_t type, uint64_t *v);
const char *attr_get_str(const void *buf, size_t len, uint16_t type);

void attr_show(const struct attr_set *set, const void *buf, size_t len,
	       bool lines);
void attr_show_type(const struct attr_set *set, uint16_t type, const void *buf,
		    size_t len);
void attr_show_list(const struct attr_set *set, uint16_t type, const void *buf,
		    size_t len);
const char *attr_path(const struct attr_set *set, const void *buf, size_t len,
		      size_t offset);

const char *proto_name(uint8_t proto);
int proto_number(const char *name);
void out_mac(const char *key, const void *mac);
void out_ip(const char *key, const void *addr, size_t len);
void out_uuid(const char *key, const void *uuid);
void out_proto(const char *key, uint8_t proto);

#endif /* _VMQCTL_ATTR_H */
