// SPDX-License-Identifier: GPL-2.0
/*
 * vmqctl explain: why a port has the queue, the CPU and the data path that it has.
 *
 * What is so is shown with the attributes' own tables (queue.c, filter.c, port.c);
 * here is only the reason for it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nl.h"
#include "out.h"
#include "vmqctl.h"

/* One object as the kernel described it, kept after its message is gone. */
struct blob {
	struct blob *next;
	size_t len;
	_Alignas(NLMSG_ALIGNTO) char attrs[];
};

struct explain {
	struct blob *port;
	struct blob *queues;
	struct blob *filters;
	const char *dev;
	const char *adapter;
	bool out_of_memory;
};

struct keep {
	struct explain *x;
	struct blob **last;
	bool mine;		/* only filters that the port itself set */
};

static bool is_mine(const struct explain *x, const void *attrs, size_t len)
{
	const char *owner = attr_get_str(attrs, len, VMQ_A_FILTER_OWNER);

	return owner && !strncmp(owner, "port ", 5) &&
	       !strcmp(owner + 5, x->dev);
}

static void keep_answer(const void *attrs, size_t len, void *arg)
{
	struct keep *keep = arg;
	struct blob *blob;

	if (keep->mine && !is_mine(keep->x, attrs, len))
		return;
	blob = malloc(sizeof(*blob) + len);
	if (!blob) {
		keep->x->out_of_memory = true;
		return;
	}
	blob->next = NULL;
	blob->len = len;
	memcpy(blob->attrs, attrs, len);
	*keep->last = blob;
	keep->last = &blob->next;
}

static void free_blobs(struct blob *blob)
{
	while (blob) {
		struct blob *next = blob->next;

		free(blob);
		blob = next;
	}
}

/* ---- what is asked of the kernel ---- */

static int ask_port(struct explain *x)
{
	struct keep keep = { .x = x, .last = &x->port };
	struct nl_request req;
	int err;

	err = nl_request(&req, VMQ_CMD_PORT_GET, &port_set, x->dev);
	if (!err)
		err = nl_do(&req, keep_answer, &keep);
	if (err || !x->port)
		return VMQCTL_FAILED;
	x->adapter = attr_get_str(x->port->attrs, x->port->len,
				  VMQ_A_PORT_ADAPTER);
	return x->adapter ? VMQCTL_OK : VMQCTL_FAILED;
}

/*
 * The adapter may be in another network namespace than its port: then nothing of
 * its queues can be seen from here, and that is no error.
 */
static void ask_queue(struct explain *x, struct keep *queues,
		      struct keep *filters, uint32_t id)
{
	struct nl_request req;

	if (nl_request(&req, VMQ_CMD_QUEUE_GET, &queue_set, x->adapter))
		return;
	mnl_attr_put_u32(req.nlh, VMQ_A_QUEUE_ID, id);
	if (nl_do_quiet(&req, keep_answer, queues))
		return;
	if (nl_request(&req, VMQ_CMD_FILTER_GET, &filter_set, x->adapter))
		return;
	mnl_attr_put_u32(req.nlh, VMQ_A_FILTER_QUEUE, id);
	/* others have filters on the default queue too */
	filters->mine = !id;
	nl_dump(&req, keep_answer, filters);
}

static void ask_queues(struct explain *x)
{
	struct keep queues = { .x = x, .last = &x->queues };
	struct keep filters = { .x = x, .last = &x->filters };
	const void *attrs = x->port->attrs;
	const struct nlattr *attr;

	mnl_attr_for_each_payload(attrs, x->port->len)
		if (mnl_attr_get_type(attr) == VMQ_A_PORT_QUEUES)
			ask_queue(x, &queues, &filters,
				  mnl_attr_get_u32(attr));
}

/* ---- queues and filters ---- */

/* Attributes of a queue that have to do with where its frames go. */
static const uint16_t queue_facts[] = {
	VMQ_A_QUEUE_ID, VMQ_A_QUEUE_STATE, VMQ_A_QUEUE_MODE, VMQ_A_QUEUE_CPUS,
	VMQ_A_QUEUE_BUFFERS, VMQ_A_QUEUE_FILTERS,
};

static unsigned int count(const struct blob *blob)
{
	unsigned int n = 0;

	for (; blob; blob = blob->next)
		n++;
	return n;
}

static void explain_queue(const struct explain *x, const struct blob *queue)
{
	uint64_t id = 0, mode = 0;
	size_t i;

	attr_get_uint(queue->attrs, queue->len, VMQ_A_QUEUE_ID, &id);
	attr_get_uint(queue->attrs, queue->len, VMQ_A_QUEUE_MODE, &mode);
	out_obj_begin(NULL);
	for (i = 0; i < ARRAY_SIZE(queue_facts); i++)
		attr_show_type(&queue_set, queue_facts[i], queue->attrs,
			       queue->len);
	out_bool("shared", !id);
	if (!id)
		out_cstr("why", "no queue was free when the port was made");
	else if (count(x->queues) > 1)
		out_cstr("why", "one of the port's own, over which the flows of its filter spread");
	else
		out_cstr("why", "the port's own, allocated when it was made");
	out_cstr("cpu-why", mode == VMQ_QUEUE_MODE_DIRECT ?
		 "frames stay on the CPU on which they arrived" :
		 "frames are handed over to the queue's own thread on its CPUs");
	out_obj_end();
}

static void explain_queues(const struct explain *x)
{
	const struct blob *queue;

	if (!x->queues) {
		attr_show_type(&port_set, VMQ_A_PORT_QUEUES, x->port->attrs,
			       x->port->len);
		out_cstr("queues-why", "the adapter is in another network namespace, which knows more");
		return;
	}
	out_objs_begin("queue");
	for (queue = x->queues; queue; queue = queue->next)
		explain_queue(x, queue);
	out_objs_end();
}

/* All that is known of a filter: what it takes, and who steers it there. */
static void explain_filters(const struct explain *x)
{
	const struct blob *filter;
	uint16_t type;

	out_objs_begin("filter");
	for (filter = x->filters; filter; filter = filter->next) {
		out_obj_begin(NULL);
		for (type = ATTR_DEV + 1; type < filter_set.n; type++)
			attr_show_type(&filter_set, type, filter->attrs,
				       filter->len);
		out_cstr("why", is_mine(x, filter->attrs, filter->len) ?
			 "the port's own, for its address" :
			 "set for a queue of the port");
		out_obj_end();
	}
	out_objs_end();
}

/* ---- the rest: an attribute of the port, and the reason for its value ---- */

static const char *path_why(uint64_t path)
{
	if (path == VMQ_PORT_PATH_SYNTHETIC)
		return "frames go through the switch, its extensions and the queue";
	return "frames go past the switch and its extensions";
}

static const char *gate_why(uint64_t gate)
{
	switch (gate) {
	case VMQ_PORT_GATE_OPEN:
		return "the port takes part in traffic";
	case VMQ_PORT_GATE_CLOSED:
		return "closed by the administrator: frames for the port wait";
	default:
		return "frames for the port wait until its guest sends one";
	}
}

static const struct fact {
	uint16_t type;
	const char *key;
	const char *(*why)(uint64_t value);
} facts[] = {
	{ VMQ_A_PORT_PATH, "path-why", path_why },
	{ VMQ_A_PORT_GATE, "gate-why", gate_why },
};

static void explain_facts(const struct explain *x)
{
	uint64_t value;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(facts); i++) {
		if (!attr_get_uint(x->port->attrs, x->port->len, facts[i].type,
				   &value))
			continue;
		out_break();
		attr_show_type(&port_set, facts[i].type, x->port->attrs,
			       x->port->len);
		out_cstr(facts[i].key, facts[i].why(value));
	}
}

static int explain(struct args *args)
{
	const char *dev;
	const struct keyword keywords[] = {
		{ "dev", &dev },
	};
	struct explain x = {};
	int err;

	err = args_parse(args, keywords, ARRAY_SIZE(keywords));
	if (err)
		return err;
	if (!dev)
		return usage_error("\"dev\" is missing");
	x.dev = dev;
	err = ask_port(&x);
	if (!err)
		ask_queues(&x);
	if (!err && x.out_of_memory) {
		complain("out of memory");
		err = VMQCTL_FAILED;
	}
	if (!err) {
		out_array();
		out_obj_begin(NULL);
		out_cstr("dev", x.dev);
		out_cstr("adapter", x.adapter);
		explain_facts(&x);
		explain_queues(&x);
		explain_filters(&x);
		out_obj_end();
	}
	free_blobs(x.port);
	free_blobs(x.queues);
	free_blobs(x.filters);
	return err;
}

const struct object explain_object = {
	.name = "explain",
	.usage = "Usage: vmqctl explain dev PORT\n",
	.run = explain,
};
