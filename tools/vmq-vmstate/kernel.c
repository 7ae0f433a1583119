// SPDX-License-Identifier: GPL-2.0
/*
 * Saves and restores of ports, by the generic netlink family vmq.
 */
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/vmq.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vmstate.h"

#define NL_ROOM		65536
#define STREAM_MAX	((size_t)1 << 30)

static struct {
	struct mnl_socket *sock;
	uint16_t family;
	uint32_t seq;
	int fd;				/* that the answer brought */
	char why[256];			/* what the kernel said */
	_Alignas(NLMSG_ALIGNTO) char buf[NL_ROOM];
} nl;

static int see_ctrl(const struct nlattr *attr, void *arg)
{
	(void)arg;
	if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID &&
	    !mnl_attr_validate(attr, MNL_TYPE_U16))
		nl.family = mnl_attr_get_u16(attr);
	return MNL_CB_OK;
}

static int see_port(const struct nlattr *attr, void *arg)
{
	(void)arg;
	if (mnl_attr_get_type(attr) == VMQ_A_PORT_FD &&
	    !mnl_attr_validate(attr, MNL_TYPE_U32))
		nl.fd = (int)mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

static int see_text(const struct nlattr *attr, void *arg)
{
	(void)arg;
	if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG &&
	    !mnl_attr_validate(attr, MNL_TYPE_NUL_STRING))
		snprintf(nl.why, sizeof(nl.why), "%s",
			 mnl_attr_get_str(attr));
	return MNL_CB_OK;
}

static int parse_error(const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);
	unsigned int skip = sizeof(*err);

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*err))
		return -EBADMSG;
	if (nlh->nlmsg_flags & NLM_F_ACK_TLVS) {
		if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
			skip += MNL_ALIGN(err->msg.nlmsg_len) -
				MNL_NLMSG_HDRLEN;
		mnl_attr_parse(nlh, skip, see_text, NULL);
	}
	return err->error;
}

static struct nlmsghdr *start(uint16_t type, uint8_t cmd, uint8_t version)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(nl.buf);
	struct genlmsghdr *genl;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	nlh->nlmsg_seq = ++nl.seq;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = version;
	return nlh;
}

/* Sends what is in the buffer and waits for the answer; 0 or -errno. */
static int call(struct nlmsghdr *nlh, mnl_attr_cb_t see)
{
	unsigned int portid = mnl_socket_get_portid(nl.sock);
	uint32_t seq = nlh->nlmsg_seq;

	nl.why[0] = 0;
	nl.fd = -1;
	if (mnl_socket_sendto(nl.sock, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	for (;;) {
		ssize_t n = mnl_socket_recvfrom(nl.sock, nl.buf, NL_ROOM);
		int left = (int)n;

		if (n < 0)
			return -errno;
		nlh = (struct nlmsghdr *)nl.buf;
		for (; mnl_nlmsg_ok(nlh, left);
		     nlh = mnl_nlmsg_next(nlh, &left)) {
			if (nlh->nlmsg_seq != seq ||
			    nlh->nlmsg_pid != portid)
				continue;
			if (nlh->nlmsg_type == NLMSG_ERROR)
				return parse_error(nlh);
			if (see)
				mnl_attr_parse(nlh, sizeof(struct genlmsghdr),
					       see, NULL);
		}
	}
}

static int port_call(uint8_t cmd, const char *dev)
{
	struct nlmsghdr *nlh = start(nl.family, cmd, VMQ_FAMILY_VERSION);

	if (dev)
		mnl_attr_put_strz(nlh, VMQ_A_PORT_DEV, dev);
	return call(nlh, see_port);
}

/* What the kernel said, or at least what its errno means. */
static const char *why(int err)
{
	if (nl.why[0])
		return nl.why;
	return strerror(-err);
}

/* Finds the family; fails with a message. */
int kernel_open(void)
{
	struct nlmsghdr *nlh;
	int on = 1, err;

	nl.sock = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	if (!nl.sock || mnl_socket_bind(nl.sock, 0, MNL_SOCKET_AUTOPID) < 0) {
		complain("netlink: %s", strerror(errno));
		return -1;
	}
	mnl_socket_setsockopt(nl.sock, NETLINK_EXT_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(nl.sock, NETLINK_CAP_ACK, &on, sizeof(on));
	nlh = start(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1);
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, VMQ_FAMILY_NAME);
	err = call(nlh, see_ctrl);
	if (!err && nl.family)
		return 0;
	complain("the kernel does not know vmq (%s): is the module loaded?",
		 strerror(err ? -err : ENOENT));
	return -1;
}

/* May ports be saved? Asked without a port, so that nothing can happen. */
int kernel_check_permission(void)
{
	int err = port_call(VMQ_CMD_SAVE_BEGIN, NULL);

	if (err != -EPERM)
		return 0;
	complain("no permission to save ports: CAP_NET_ADMIN is needed");
	return -1;
}

int kernel_check_port(const char *dev)
{
	int err = port_call(VMQ_CMD_PORT_GET, dev);

	if (!err)
		return 0;
	complain("%s: %s", dev, why(err));
	return -1;
}

static int read_stream(int fd, uint8_t **data, size_t *len)
{
	size_t room = 0;
	uint8_t *more;
	ssize_t n;

	for (;;) {
		if (*len == room) {
			room = room ? room * 2 : 65536;
			more = room > STREAM_MAX ? NULL : realloc(*data, room);
			if (!more)
				return -ENOMEM;
			*data = more;
		}
		n = read(fd, *data + *len, room - *len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return 0;
		*len += n;
	}
}

/*
 * Saves a port. Where that fails it says so and there is nothing in *data, which
 * is the caller's.
 */
int kernel_save(const char *dev, uint8_t **data, size_t *len)
{
	int err, fd;

	*data = NULL;
	*len = 0;
	err = port_call(VMQ_CMD_SAVE_BEGIN, dev);
	if (err) {
		complain("%s: save: %s", dev, why(err));
		return -1;
	}
	fd = nl.fd;
	err = read_stream(fd, data, len);
	close(fd);
	if (!err)
		return 0;
	complain("%s: save: %s", dev, strerror(-err));
	free(*data);
	*data = NULL;
	*len = 0;
	return -1;
}

/* Restores a port; where that fails it says so, and in `reason` too. */
int kernel_restore(const char *dev, const uint8_t *data, size_t len,
		   char *reason, size_t room)
{
	int err, fd;

	err = port_call(VMQ_CMD_RESTORE_BEGIN, dev);
	if (err)
		goto fail;
	fd = nl.fd;
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;		/* the commit says why */
		data += n;
		len -= n;
	}
	err = port_call(VMQ_CMD_RESTORE_COMMIT, dev);
	close(fd);
	if (!err)
		return 0;
fail:
	snprintf(reason, room, "%s: restore: %s", dev, why(err));
	complain("%s", reason);
	return -1;
}
