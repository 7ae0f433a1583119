// SPDX-License-Identifier: GPL-2.0
/*
 * Generic netlink: the family vmq.
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>

#include "nl.h"
#include "out.h"
#include "vmqctl.h"

#define NL_ANSWER_MAX	65536	/* more than the kernel puts in one datagram */
#define NL_EVENTS_ROOM	(4 << 20)

/* What became of one entry, the same in every set. */
static const struct attr_desc status_attrs[] = {
	[VMQ_A_STATUS_ID] = ATTR("id", UINT),
	[VMQ_A_STATUS_ERROR] = ATTR("error", UINT),
	[VMQ_A_STATUS_MESSAGE] = ATTR("message", STR),
};

ATTR_SET(status);

static struct {
	struct mnl_socket *sock;
	uint32_t seq;
	uint16_t family;
	uint32_t group;		/* events */
	nl_event event;		/* for what comes unasked, with arg */
	void *arg;
	bool lost;		/* some of that */
	_Alignas(NLMSG_ALIGNTO) char buf[NL_ANSWER_MAX];
} nl;

/* How a request ended. */
struct nl_result {
	int error;		/* negative errno */
	const char *text;	/* what the kernel says about it */
	const char *attr;	/* which attribute it is about */
	const char *missing;	/* which attribute it misses */
};

static const char *attr_name(const struct attr_set *set, uint32_t type)
{
	if (!set || type >= set->n)
		return NULL;
	return set->attr[type].name;
}

/* The extended acknowledgment: attributes in the error message. */
static void parse_extack(const struct nl_request *req, const void *buf,
			 size_t len, struct nl_result *res)
{
	size_t head = MNL_NLMSG_HDRLEN + MNL_ALIGN(sizeof(struct genlmsghdr));
	const char *attrs = (const char *)req->nlh + head;
	size_t attrs_len = req->nlh->nlmsg_len - head;
	uint64_t v;

	res->text = attr_get_str(buf, len, NLMSGERR_ATTR_MSG);
	if (!req->set)
		return;
	if (attr_get_uint(buf, len, NLMSGERR_ATTR_OFFS, &v) && v >= head)
		res->attr = attr_path(req->set, attrs, attrs_len, v - head);
	/* only those of the outermost set have a name that is known here */
	if (attr_get_uint(buf, len, NLMSGERR_ATTR_MISS_TYPE, &v) &&
	    !attr_find(buf, len, NLMSGERR_ATTR_MISS_NEST))
		res->missing = attr_name(req->set, v);
}

/* An error message, or an acknowledgment, which is one with error 0. */
static void parse_error(const struct nl_request *req,
			const struct nlmsghdr *nlh, struct nl_result *res)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);
	size_t skip = sizeof(*err);

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*err)) {
		res->error = -EBADMSG;
		return;
	}
	res->error = err->error;
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED)) {
		if (err->msg.nlmsg_len < MNL_NLMSG_HDRLEN)
			return;
		skip += MNL_ALIGN(err->msg.nlmsg_len) - MNL_NLMSG_HDRLEN;
	}
	if (skip < mnl_nlmsg_get_payload_len(nlh))
		parse_extack(req, (const char *)err + skip,
			     mnl_nlmsg_get_payload_len(nlh) - skip, res);
}

/* The end of a dump, which may have failed on the way. */
static void parse_done(const struct nl_request *req,
		       const struct nlmsghdr *nlh, struct nl_result *res)
{
	size_t len = mnl_nlmsg_get_payload_len(nlh);
	const char *p = mnl_nlmsg_get_payload(nlh);

	if (len < sizeof(int))
		return;
	memcpy(&res->error, p, sizeof(int));
	if (res->error > 0)
		res->error = 0;
	if (nlh->nlmsg_flags & NLM_F_ACK_TLVS)
		parse_extack(req, p + sizeof(int), len - sizeof(int), res);
}

/* The interface that the request is about; the same attribute in every set. */
static const char *request_dev(const struct nl_request *req)
{
	size_t head = MNL_NLMSG_HDRLEN + MNL_ALIGN(sizeof(struct genlmsghdr));

	return attr_get_str((const char *)req->nlh + head,
			    req->nlh->nlmsg_len - head, ATTR_DEV);
}

/* "MESSAGE (ATTRIBUTE): STRERROR", as far as they are known and differ. */
static void print_error(const struct nl_request *req,
			const struct nl_result *res)
{
	const char *why = strerror(-res->error);
	const char *dev = request_dev(req);
	const char *text = res->text;
	char missing[64];

	if (!text && res->missing) {
		snprintf(missing, sizeof(missing), "%s is missing",
			 res->missing);
		text = missing;
	}
	if (!text) {
		complain("%s%s%s", res->attr ? res->attr : dev ? dev : "",
			 res->attr || dev ? ": " : "", why);
		return;
	}
	if (!strcasecmp(text, why))
		why = NULL;
	complain("%s%s%s%s%s%s", text, res->attr ? " (" : "",
		 res->attr ? res->attr : "", res->attr ? ")" : "",
		 why ? ": " : "", why ? why : "");
}

static void print_result(const struct nl_request *req,
			 const struct nl_result *res)
{
	if (res->error)
		print_error(req, res);
	else if (res->text)
		complain("warning: %s", res->text);
}

/* One message of the answer; true if it is the last. */
static bool handle_message(const struct nl_request *req,
			   const struct nlmsghdr *nlh, nl_answer answer,
			   void *arg, struct nl_result *res)
{
	size_t head = MNL_ALIGN(sizeof(struct genlmsghdr));
	size_t len = mnl_nlmsg_get_payload_len(nlh);

	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		res->text = "things changed during the dump, some may be missing";

	switch (nlh->nlmsg_type) {
	case NLMSG_ERROR:
		parse_error(req, nlh, res);
		return true;
	case NLMSG_DONE:
		parse_done(req, nlh, res);
		return true;
	case NLMSG_NOOP:
		return false;
	}
	if (nlh->nlmsg_type == req->nlh->nlmsg_type && len >= head && answer)
		answer((const char *)mnl_nlmsg_get_payload(nlh) + head,
		       len - head, arg);
	return false;
}

/* A message that answers nothing. */
static int take_event(const struct nlmsghdr *nlh)
{
	size_t head = MNL_ALIGN(sizeof(struct genlmsghdr));
	const struct genlmsghdr *genl;

	if (!nl.event || nlh->nlmsg_type != nl.family ||
	    mnl_nlmsg_get_payload_len(nlh) < head)
		return VMQCTL_OK;
	genl = mnl_nlmsg_get_payload(nlh);
	return nl.event(genl->cmd, (const char *)genl + head,
			mnl_nlmsg_get_payload_len(nlh) - head, nl.arg);
}

/* Sends the request and reads the answer up to its end. */
static int talk(struct nl_request *req, uint16_t flags, nl_answer answer,
		void *arg, struct nl_result *res)
{
	const struct nlmsghdr *nlh;
	ssize_t n;
	int left;

	memset(res, 0, sizeof(*res));
	req->nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	req->nlh->nlmsg_seq = ++nl.seq;
	if (mnl_socket_sendto(nl.sock, req->nlh, req->nlh->nlmsg_len) < 0)
		goto failed;

	for (;;) {
		n = mnl_socket_recvfrom(nl.sock, nl.buf, sizeof(nl.buf));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			goto failed;
		nlh = (const struct nlmsghdr *)nl.buf;
		for (left = n; mnl_nlmsg_ok(nlh, left);
		     nlh = mnl_nlmsg_next(nlh, &left)) {
			if (nlh->nlmsg_seq != nl.seq) {
				take_event(nlh);
				continue;
			}
			if (handle_message(req, nlh, answer, arg, res))
				return res->error;
		}
	}

failed:
	nl.lost |= errno == ENOBUFS;
	res->error = -errno;
	return res->error;
}

static void start_message(struct nl_request *req, uint16_t type, uint8_t cmd,
			  uint8_t version)
{
	struct genlmsghdr *genl;

	req->nlh = mnl_nlmsg_put_header(req->buf);
	req->nlh->nlmsg_type = type;
	genl = mnl_nlmsg_put_extra_header(req->nlh, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = version;
}

static void take_group(const struct nlattr *group)
{
	const void *p = mnl_attr_get_payload(group);
	size_t len = mnl_attr_get_payload_len(group);
	const char *name = attr_get_str(p, len, CTRL_ATTR_MCAST_GRP_NAME);
	uint64_t id;

	if (name && !strcmp(name, VMQ_MCGRP_EVENTS) &&
	    attr_get_uint(p, len, CTRL_ATTR_MCAST_GRP_ID, &id))
		nl.group = id;
}

static void take_family(const void *attrs, size_t len, void *arg)
{
	const struct nlattr *groups, *attr;
	uint64_t id;

	(void)arg;
	if (attr_get_uint(attrs, len, CTRL_ATTR_FAMILY_ID, &id))
		nl.family = id;
	groups = attr_find(attrs, len, CTRL_ATTR_MCAST_GROUPS);
	if (groups)
		mnl_attr_for_each_nested(attr, groups)
			take_group(attr);
}

static int resolve_family(void)
{
	struct nl_request req = { .set = NULL };
	struct nl_result res;

	start_message(&req, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1);
	mnl_attr_put_strz(req.nlh, CTRL_ATTR_FAMILY_NAME, VMQ_FAMILY_NAME);
	talk(&req, NLM_F_ACK, take_family, NULL, &res);
	if (res.error == -ENOENT || (!res.error && !nl.family)) {
		complain("the vmq module is not loaded");
		return VMQCTL_FAILED;
	}
	if (res.error) {
		complain("netlink: %s", strerror(-res.error));
		return VMQCTL_FAILED;
	}
	return VMQCTL_OK;
}

static int nl_open(void)
{
	int one = 1;

	if (nl.family)
		return VMQCTL_OK;
	nl.sock = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	if (!nl.sock || mnl_socket_bind(nl.sock, 0, MNL_SOCKET_AUTOPID) < 0) {
		complain("netlink: %s", strerror(errno));
		return VMQCTL_FAILED;
	}
	mnl_socket_setsockopt(nl.sock, NETLINK_EXT_ACK, &one, sizeof(one));
	mnl_socket_setsockopt(nl.sock, NETLINK_CAP_ACK, &one, sizeof(one));
	nl.seq = time(NULL);
	return resolve_family();
}

static int talk_and_tell(struct nl_request *req, uint16_t flags,
			 nl_answer answer, void *arg)
{
	struct nl_result res;
	int err = nl_open();

	if (err)
		return err;
	req->nlh->nlmsg_type = nl.family;
	talk(req, flags, answer, arg, &res);
	print_result(req, &res);
	return res.error ? VMQCTL_FAILED : VMQCTL_OK;
}

/* One request; the kernel says why when it refuses. */
int nl_do(struct nl_request *req, nl_answer answer, void *arg)
{
	return talk_and_tell(req, NLM_F_ACK, answer, arg);
}

int nl_dump(struct nl_request *req, nl_answer answer, void *arg)
{
	return talk_and_tell(req, NLM_F_DUMP, answer, arg);
}

/* The same as nl_do, after a successful one, but says nothing of a refusal. */
int nl_do_quiet(struct nl_request *req, nl_answer answer, void *arg)
{
	struct nl_result res;

	req->nlh->nlmsg_type = nl.family;
	return talk(req, NLM_F_ACK, answer, arg, &res) ? VMQCTL_FAILED :
							 VMQCTL_OK;
}

void nl_close(void)
{
	if (nl.sock)
		mnl_socket_close(nl.sock);
	nl.sock = NULL;
}

/* A string from the command line, which may be of any length. */
int nl_put_str(struct nl_request *req, const char *what, uint16_t type,
	       const char *s)
{
	if (!mnl_attr_put_strz_check(req->nlh, sizeof(req->buf) / 2, type, s))
		return usage_error("%s: \"%s\" is too long", what, s);
	return VMQCTL_OK;
}

int nl_put_switch(struct nl_request *req, const char *what, uint16_t type,
		  const char *value)
{
	if (strcmp(value, "on") && strcmp(value, "off"))
		return usage_error("%s: \"%s\" is neither on nor off", what,
				   value);
	mnl_attr_put_u8(req->nlh, type, !strcmp(value, "on"));
	return VMQCTL_OK;
}

/*
 * Starts a request, about dev unless that is NULL. The kernel is not asked
 * before nl_do or nl_dump, so that the whole command line is looked at first.
 */
int nl_request(struct nl_request *req, uint8_t cmd, const struct attr_set *set,
	       const char *dev)
{
	start_message(req, 0, cmd, VMQ_FAMILY_VERSION);
	req->set = set;
	return dev ? nl_put_str(req, "dev", ATTR_DEV, dev) : VMQCTL_OK;
}

static void show_object(const void *attrs, size_t len, void *arg)
{
	const struct nl_request *req = arg;

	out_obj_begin(NULL);
	attr_show(req->set, attrs, len, true);
	out_obj_end();
}

/* Shows what the request asks for: one object, or all that there are. */
int nl_show(struct nl_request *req, bool one)
{
	out_array();
	return one ? nl_do(req, show_object, req) :
		     nl_dump(req, show_object, req);
}

/* "show", and "show dev DEV" of what is one object for each device. */
int nl_show_dev(uint8_t cmd, const struct attr_set *set, struct args *args)
{
	struct nl_request req;
	const char *dev;
	int err;

	err = args_dev(args, &dev);
	if (!err)
		err = nl_request(&req, cmd, set, dev);
	return err ? err : nl_show(&req, dev);
}

/* One request; what it made or changed is its answer, and shown. */
int nl_show_answer(struct nl_request *req)
{
	return nl_do(req, show_object, req);
}

struct entries {
	const char *what;
	uint16_t status;
	int failed;
};

static void show_entry(const struct entries *entries, const struct nlattr *nest)
{
	const void *p = mnl_attr_get_payload(nest);
	size_t len = mnl_attr_get_payload_len(nest);
	const char *text = attr_get_str(p, len, VMQ_A_STATUS_MESSAGE);
	uint64_t id = 0, error = 0;

	attr_get_uint(p, len, VMQ_A_STATUS_ID, &id);
	attr_get_uint(p, len, VMQ_A_STATUS_ERROR, &error);
	if (out_is_json()) {
		out_obj_begin(NULL);
		attr_show(&status_set, p, len, false);
		out_obj_end();
	}
	if (error)
		complain("%s %" PRIu64 ": %s%s%s", entries->what, id,
			 text ? text : "", text ? ": " : "", strerror(error));
}

static void take_entries(const void *attrs, size_t len, void *arg)
{
	struct entries *entries = arg;
	const struct nlattr *attr;
	uint64_t error;

	mnl_attr_for_each_payload(attrs, len) {
		if (mnl_attr_get_type(attr) != entries->status)
			continue;
		if (attr_get_uint(mnl_attr_get_payload(attr),
				  mnl_attr_get_payload_len(attr),
				  VMQ_A_STATUS_ERROR, &error) && error)
			entries->failed++;
		show_entry(entries, attr);
	}
}

/*
 * A request with many entries, each of which the kernel answers by itself: what
 * failed is said, and JSON has all of them.
 */
int nl_do_entries(struct nl_request *req, uint16_t status, const char *what)
{
	struct entries entries = { .what = what, .status = status };
	int err = nl_do(req, take_entries, &entries);

	return err ? err : entries.failed ? VMQCTL_FAILED : VMQCTL_OK;
}

/* Adds the keywords of settings to others, each with a place for its value. */
void settings_keywords(const struct setting *settings, size_t n,
		       struct keyword *keywords, const char **values)
{
	size_t i;

	for (i = 0; i < n; i++)
		keywords[i] = (struct keyword){ settings[i].name, &values[i] };
}

/* Puts those that were given into the request. */
int settings_put(struct nl_request *req, const struct setting *settings,
		 size_t n, const char *const *values)
{
	size_t i;
	int err = VMQCTL_OK;

	for (i = 0; i < n && !err; i++)
		if (values[i])
			err = settings[i].put(req, values[i]);
	return err;
}

/* Says what is to be done with messages that answer nothing. */
void nl_on_event(nl_event event, void *arg)
{
	nl.event = event;
	nl.arg = arg;
}

/* Waits for such messages, and has all of one datagram taken. */
int nl_receive(void)
{
	const struct nlmsghdr *nlh;
	ssize_t n;
	int left, err;

	n = mnl_socket_recvfrom(nl.sock, nl.buf, sizeof(nl.buf));
	if (n < 0 && errno == EINTR)
		return VMQCTL_OK;
	if (n < 0 && errno == ENOBUFS) {
		nl.lost = true;
		complain("warning: events came faster than they were read, some are lost");
		return VMQCTL_OK;
	}
	if (n < 0) {
		complain("netlink: %s", strerror(errno));
		return VMQCTL_FAILED;
	}
	nlh = (const struct nlmsghdr *)nl.buf;
	for (left = n; mnl_nlmsg_ok(nlh, left);
	     nlh = mnl_nlmsg_next(nlh, &left)) {
		err = take_event(nlh);
		if (err)
			return err;
	}
	return VMQCTL_OK;
}

/* To poll; valid after a first request. */
int nl_fd(void)
{
	return mnl_socket_get_fd(nl.sock);
}

/* Did messages come that there was no room for? */
bool nl_lost(void)
{
	return nl.lost;
}

/* More room for messages that were not read yet, as much as is allowed. */
void nl_more_room(void)
{
	int room = NL_EVENTS_ROOM;

	if (setsockopt(nl_fd(), SOL_SOCKET, SO_RCVBUFFORCE, &room,
		       sizeof(room)) < 0)
		setsockopt(nl_fd(), SOL_SOCKET, SO_RCVBUF, &room,
			   sizeof(room));
}

/* Listens to the group events, for ever. */
int nl_listen(nl_event event, void *arg)
{
	int err = nl_open();

	if (err)
		return err;
	if (mnl_socket_setsockopt(nl.sock, NETLINK_ADD_MEMBERSHIP, &nl.group,
				  sizeof(nl.group)) < 0) {
		complain("group %s: %s", VMQ_MCGRP_EVENTS, strerror(errno));
		return VMQCTL_FAILED;
	}
	nl_more_room();
	nl_on_event(event, arg);
	while (!err)
		err = nl_receive();
	return err;
}
