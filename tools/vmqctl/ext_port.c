// SPDX-License-Identifier: GPL-2.0
/*
 * Requests about one extension on one port: ext-port-get, ext-port-set.
 */
#include <stdlib.h>
#include <string.h>

#include "ext_port.h"
#include "out.h"
#include "vmqctl.h"

/* Starts a request about an extension on the port dev. */
int ext_port_request(struct nl_request *req, uint8_t cmd,
		     const struct ext_kind *ext, const char *dev)
{
	int err;

	if (!dev)
		return usage_error("\"dev\" is missing");
	err = nl_request(req, cmd, ext->port, dev);
	return err ? err : nl_put_str(req, "name", VMQ_A_EXT_PORT_NAME,
				      ext->name);
}

/*
 * Starts the attribute config, which mnl_attr_nest_end ends. What is in it is
 * the extension's matter; to the family it is binary and not NLA_F_NESTED.
 */
struct nlattr *ext_port_config(struct nl_request *req)
{
	struct nlattr *config = mnl_nlmsg_get_payload_tail(req->nlh);

	mnl_attr_put(req->nlh, VMQ_A_EXT_PORT_CONFIG, 0, NULL);
	return config;
}

/* What is to be shown, and what has come of it. */
struct show {
	const struct ext_kind *ext;
	const char *dev;
	uint16_t part;		/* an attribute of its set, 0 for all of them */
	char *config;		/* attributes of its set, of all messages */
	size_t len;
	bool failed;
};

static void show_part(const struct show *s, const void *config, size_t size)
{
	const struct attr_desc *attrs = s->ext->config->attr;
	const struct nlattr *attr;

	mnl_attr_for_each_payload(config, size) {
		if (mnl_attr_get_type(attr) != s->part)
			continue;
		out_obj_begin(NULL);
		out_cstr("dev", s->dev);
		attr_show(attrs[s->part].nested, mnl_attr_get_payload(attr),
			  mnl_attr_get_payload_len(attr), false);
		out_obj_end();
	}
}

static void collect(struct show *s, const void *config, size_t size)
{
	char *grown = realloc(s->config, s->len + MNL_ALIGN(size));

	if (!grown) {
		s->failed = true;
		return;
	}
	s->config = grown;
	memset(grown + s->len, 0, MNL_ALIGN(size));
	memcpy(grown + s->len, config, size);
	s->len += MNL_ALIGN(size);
}

static void take_config(const void *attrs, size_t len, void *arg)
{
	const struct nlattr *config;
	struct show *s = arg;
	size_t size;

	config = attr_find(attrs, len, VMQ_A_EXT_PORT_CONFIG);
	if (!config)
		return;
	size = mnl_attr_get_payload_len(config);
	if (s->part)
		show_part(s, mnl_attr_get_payload(config), size);
	else if (size)
		collect(s, mnl_attr_get_payload(config), size);
}

static void show_all(const struct show *s)
{
	const struct ext_kind *ext = s->ext;
	const struct nlattr *summary;
	const uint16_t *list;

	out_obj_begin(NULL);
	out_cstr("dev", s->dev);
	out_cstr("name", ext->name);
	for (list = ext->lists; *list; list++)
		attr_show_list(ext->config, *list, s->config, s->len);
	summary = attr_find(s->config, s->len, ext->summary);
	if (summary) {
		out_obj_begin("summary");
		attr_show(ext->config->attr[ext->summary].nested,
			  mnl_attr_get_payload(summary),
			  mnl_attr_get_payload_len(summary), false);
		out_obj_end();
	}
	out_obj_end();
}

/* Shows what an extension says of a port: one part, as objects, or all of it. */
int ext_port_show(const struct ext_kind *ext, const char *dev, uint16_t part)
{
	struct show s = { .ext = ext, .dev = dev, .part = part };
	struct nl_request req;
	int err;

	err = ext_port_request(&req, VMQ_CMD_EXT_PORT_GET, ext, dev);
	if (err)
		return err;
	out_array();
	err = nl_dump(&req, take_config, &s);
	if (s.failed) {
		complain("out of memory");
		err = VMQCTL_FAILED;
	}
	if (!err && !part)
		show_all(&s);
	free(s.config);
	return err;
}

/*
 * flush dev PORT [ WORD | WORD ]: without a word all of it. flag has the attributes
 * that say what goes.
 */
int ext_port_flush(const struct ext_kind *ext, struct args *args,
		   const char *const word[2], const uint16_t flag[2],
		   uint16_t part)
{
	struct nlattr *config;
	struct nl_request req;
	const char *dev;
	const struct keyword keywords[] = {
		{ "dev", &dev },
	};
	int err, only = -1, i;

	err = args_parse_some(args, keywords, ARRAY_SIZE(keywords));
	if (err)
		return err;
	for (i = 0; i < 2 && only < 0; i++)
		if (args_take(args, word[i]))
			only = i;
	err = args_end(args);
	if (err)
		return err;
	err = ext_port_request(&req, VMQ_CMD_EXT_PORT_SET, ext, dev);
	if (err)
		return err;
	config = ext_port_config(&req);
	for (i = 0; i < 2; i++)
		if (only < 0 || only == i)
			mnl_attr_put(req.nlh, flag[i], 0, NULL);
	mnl_attr_nest_end(req.nlh, config);
	return ext_port_change(ext, &req, dev, part);
}

/*
 * Changes something. Of what it made, in the answer, the part is shown, but only as
 * JSON: in text a change that worked prints nothing.
 */
int ext_port_change(const struct ext_kind *ext, struct nl_request *req,
		    const char *dev, uint16_t part)
{
	struct show s = { .ext = ext, .dev = dev, .part = part };

	return nl_do(req, out_is_json() ? take_config : NULL, &s);
}
