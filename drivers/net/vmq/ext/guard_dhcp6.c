// SPDX-License-Identifier: GPL-2.0
/*
 * The extension guard: reading DHCPv6 messages (RFC 8415).
 */
#include <linux/errno.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include "guard_dhcp.h"

#define DHCP6_HDR		4
#define OPTION_HDR		4

#define OPTION_IA_NA		3
#define OPTION_IA_TA		4
#define OPTION_IAADDR		5
#define OPTION_STATUS		13
#define OPTION_IA_PD		25
#define OPTION_IAPREFIX		26

/* Bytes of an option before the options in it */
#define IA_NA_HDR		12
#define IA_TA_HDR		4
#define IAADDR_HDR		24
#define IAPREFIX_HDR		25

/* One option, and the walk that found it. */
struct option {
	const u8 *p;
	size_t len;
	u16 code;
};

/* Returns 1 for an option, 0 at the end, -EINVAL for what is none. */
static int option_next(const u8 **p, size_t *len, struct option *o)
{
	if (!*len)
		return 0;
	if (*len < OPTION_HDR)
		return -EINVAL;
	o->code = get_unaligned_be16(*p);
	o->len = get_unaligned_be16(*p + 2);
	o->p = *p + OPTION_HDR;
	if (o->len > *len - OPTION_HDR)
		return -EINVAL;
	*p += OPTION_HDR + o->len;
	*len -= OPTION_HDR + o->len;
	return 1;
}

/* Is there a status among the options that is not success? */
static int options_failed(const u8 *p, size_t len, bool *failed)
{
	struct option o;
	int ret;

	*failed = false;
	while ((ret = option_next(&p, &len, &o)) > 0) {
		if (o.code != OPTION_STATUS)
			continue;
		if (o.len < 2)
			return -EINVAL;
		if (get_unaligned_be16(o.p))
			*failed = true;
	}
	return ret;
}

static void addr_take(struct guard_dhcp6 *msg, const u8 *addr, u8 len,
		      u32 valid)
{
	struct guard_dhcp6_addr *to = &msg->addr[msg->n];
	unsigned int i;

	if (msg->n == GUARD_DHCP6_ADDRS) {
		msg->more = true;
		return;
	}
	memcpy(to->addr, addr, sizeof(to->addr));
	for (i = len; i < 128; i++)
		to->addr[i / 8] &= ~(0x80 >> i % 8);
	to->len = len;
	to->valid = valid;
	msg->n++;
}

static int ia_addr(const struct option *o, struct guard_dhcp6 *msg)
{
	u32 preferred, valid;
	bool failed;
	int err;

	if (o->len < IAADDR_HDR)
		return -EINVAL;
	err = options_failed(o->p + IAADDR_HDR, o->len - IAADDR_HDR, &failed);
	if (err)
		return err;
	preferred = get_unaligned_be32(o->p + 16);
	valid = get_unaligned_be32(o->p + 20);
	/* RFC 8415, 21.6: a client discards such an address */
	if (!failed && preferred <= valid)
		addr_take(msg, o->p, 128, valid);
	return 0;
}

static int ia_prefix(const struct option *o, struct guard_dhcp6 *msg)
{
	u32 preferred, valid;
	bool failed;
	int err;

	if (o->len < IAPREFIX_HDR || !o->p[8] || o->p[8] > 128)
		return -EINVAL;
	err = options_failed(o->p + IAPREFIX_HDR, o->len - IAPREFIX_HDR,
			     &failed);
	if (err)
		return err;
	preferred = get_unaligned_be32(o->p);
	valid = get_unaligned_be32(o->p + 4);
	if (!failed && preferred <= valid)
		addr_take(msg, o->p + 9, o->p[8], valid);
	return 0;
}

/* An identity association: its addresses, unless its status is a failure. */
static int ia(const struct option *ia_option, size_t hdr,
	      struct guard_dhcp6 *msg)
{
	struct option o;
	bool failed;
	size_t len;
	const u8 *p;
	int err, ret;

	if (ia_option->len < hdr)
		return -EINVAL;
	p = ia_option->p + hdr;
	len = ia_option->len - hdr;
	err = options_failed(p, len, &failed);
	if (err || failed)
		return err;
	while ((ret = option_next(&p, &len, &o)) > 0) {
		if (o.code == OPTION_IAADDR &&
		    ia_option->code != OPTION_IA_PD)
			err = ia_addr(&o, msg);
		else if (o.code == OPTION_IAPREFIX &&
			 ia_option->code == OPTION_IA_PD)
			err = ia_prefix(&o, msg);
		if (err)
			return err;
	}
	return ret;
}

/**
 * guard_dhcp6_parse() - Reads a DHCPv6 message.
 * @p: the message, behind the UDP header
 * @len: its length in bytes
 * @msg: what was read. Of a relay's message only the type; of one whose status
 *	is a failure no addresses
 *
 * Return: 0, or -EINVAL for one that is malformed
 */
int guard_dhcp6_parse(const u8 *p, size_t len, struct guard_dhcp6 *msg)
{
	struct option o;
	bool failed;
	int err, ret;

	memset(msg, 0, sizeof(*msg));
	if (len < DHCP6_HDR || !p[0])
		return -EINVAL;
	msg->type = p[0];
	if (msg->type == GUARD_DHCP6_RELAY_FORW ||
	    msg->type == GUARD_DHCP6_RELAY_REPL)
		return 0;
	msg->xid = get_unaligned_be24(p + 1);
	p += DHCP6_HDR;
	len -= DHCP6_HDR;
	err = options_failed(p, len, &failed);
	if (err || failed)
		return err;

	while ((ret = option_next(&p, &len, &o)) > 0) {
		switch (o.code) {
		case OPTION_IA_NA:
		case OPTION_IA_PD:
			err = ia(&o, IA_NA_HDR, msg);
			break;
		case OPTION_IA_TA:
			err = ia(&o, IA_TA_HDR, msg);
			break;
		}
		if (err)
			return err;
	}
	return ret;
}
