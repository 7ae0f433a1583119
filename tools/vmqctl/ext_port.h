/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the bundled extensions' objects share: requests about one extension on one
 * port, and how its configuration and state are shown.
 */
#ifndef _VMQCTL_EXT_PORT_H
#define _VMQCTL_EXT_PORT_H

#include "nl.h"

struct args;

/*
 * An extension: its attributes, those of ext-port with them in config, the types of
 * those that are shown as arrays (0 ends them), and of the summary.
 */
struct ext_kind {
	const char *name;
	const struct attr_set *config;
	const struct attr_set *port;
	uint16_t lists[4];
	uint16_t summary;
};

/* The set ext-port of an extension whose attributes are in set. */
#define EXT_PORT_SET(set)						\
	static const struct attr_desc ext_port_attrs[] = {		\
		[VMQ_A_EXT_PORT_IFINDEX] = ATTR("ifindex", IFINDEX),	\
		[VMQ_A_EXT_PORT_DEV] = ATTR("dev", STR),		\
		[VMQ_A_EXT_PORT_NAME] = ATTR("name", STR),		\
		[VMQ_A_EXT_PORT_CONFIG] = ATTR_NESTED("config", set, false), \
	};								\
	static ATTR_SET(ext_port)

int ext_port_request(struct nl_request *req, uint8_t cmd,
		     const struct ext_kind *ext, const char *dev);
struct nlattr *ext_port_config(struct nl_request *req);
int ext_port_change(const struct ext_kind *ext, struct nl_request *req,
		    const char *dev, uint16_t part);
int ext_port_flush(const struct ext_kind *ext, struct args *args,
		   const char *const word[2], const uint16_t flag[2],
		   uint16_t part);
int ext_port_show(const struct ext_kind *ext, const char *dev, uint16_t part);

#endif /* _VMQCTL_EXT_PORT_H */
