// SPDX-License-Identifier: GPL-2.0
/*
 * The extension guard: reading DHCP messages (RFC 2131, 2132).
 */
#include <linux/errno.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include "guard_dhcp.h"

#define DHCP4_CHADDR	28
#define DHCP4_SNAME	44
#define DHCP4_FILE	108
#define DHCP4_COOKIE	236
#define DHCP4_OPTIONS	240
#define DHCP4_MAGIC	0x63825363

#define DHCP4_HTYPE_ETHER	1
#define DHCP4_MAC_LEN		6

#define OPTION_PAD		0
#define OPTION_REQUESTED	50
#define OPTION_LEASE		51
#define OPTION_OVERLOAD		52
#define OPTION_TYPE		53
#define OPTION_END		255

/* Values of the option overload */
#define OVERLOAD_FILE		1
#define OVERLOAD_SNAME		2
#define OVERLOAD_MAX		3

/* Options that were there, and the overload that one of them asks for. */
struct options {
	bool requested;
	bool lease;
	bool type;
	u8 overload;
	bool main;	/* overload makes sense in the options' own place only */
};

/*
 * An option that comes twice is one that was split (RFC 3396); none of those
 * that matter here is long enough for that, and clients do not agree on which
 * one counts. What a client may read in another way than we do is no message
 * to learn from.
 */
static int option_one(u8 code, const u8 *p, u8 len, struct options *seen,
		      struct guard_dhcp4 *msg)
{
	switch (code) {
	case OPTION_REQUESTED:
		if (len != 4 || seen->requested)
			return -EINVAL;
		seen->requested = true;
		memcpy(msg->requested, p, 4);
		return 0;
	case OPTION_LEASE:
		if (len != 4 || seen->lease)
			return -EINVAL;
		seen->lease = true;
		msg->lease = get_unaligned_be32(p);
		return 0;
	case OPTION_OVERLOAD:
		if (len != 1 || !*p || *p > OVERLOAD_MAX || seen->overload ||
		    !seen->main)
			return -EINVAL;
		seen->overload = *p;
		return 0;
	case OPTION_TYPE:
		if (len != 1 || seen->type || !*p)
			return -EINVAL;
		seen->type = true;
		msg->type = *p;
		return 0;
	}
	return 0;
}

static int options_walk(const u8 *p, size_t len, struct options *seen,
			struct guard_dhcp4 *msg)
{
	size_t at = 0;
	u8 code, n;
	int err;

	while (at < len) {
		code = p[at++];
		if (code == OPTION_PAD)
			continue;
		if (code == OPTION_END)
			break;
		if (at == len)
			return -EINVAL;
		n = p[at++];
		if (n > len - at)
			return -EINVAL;
		err = option_one(code, p + at, n, seen, msg);
		if (err)
			return err;
		at += n;
	}
	return 0;
}

/**
 * guard_dhcp4_parse() - Reads a DHCP message.
 * @p: the message, behind the UDP header
 * @len: its length in bytes
 * @msg: what was read; all of it is 0 where the message does not say
 *
 * Return: 0, or -EINVAL for one that is malformed
 */
int guard_dhcp4_parse(const u8 *p, size_t len, struct guard_dhcp4 *msg)
{
	struct options seen = { .main = true };
	int err;

	memset(msg, 0, sizeof(*msg));
	if (len < DHCP4_COOKIE)
		return -EINVAL;
	if (p[0] != GUARD_BOOTREQUEST && p[0] != GUARD_BOOTREPLY)
		return -EINVAL;
	if (p[1] != DHCP4_HTYPE_ETHER || p[2] != DHCP4_MAC_LEN)
		return -EINVAL;
	msg->op = p[0];
	msg->xid = get_unaligned_be32(p + 4);
	memcpy(msg->ciaddr, p + 12, 4);
	memcpy(msg->yiaddr, p + 16, 4);
	memcpy(msg->giaddr, p + 24, 4);
	memcpy(msg->chaddr, p + DHCP4_CHADDR, DHCP4_MAC_LEN);
	/* BOOTP has no options, or those of somebody else */
	if (len < DHCP4_OPTIONS ||
	    get_unaligned_be32(p + DHCP4_COOKIE) != DHCP4_MAGIC)
		return 0;

	err = options_walk(p + DHCP4_OPTIONS, len - DHCP4_OPTIONS, &seen, msg);
	seen.main = false;
	if (!err && seen.overload & OVERLOAD_FILE)
		err = options_walk(p + DHCP4_FILE, DHCP4_COOKIE - DHCP4_FILE,
				   &seen, msg);
	if (!err && seen.overload & OVERLOAD_SNAME)
		err = options_walk(p + DHCP4_SNAME, DHCP4_FILE - DHCP4_SNAME,
				   &seen, msg);
	return err;
}
