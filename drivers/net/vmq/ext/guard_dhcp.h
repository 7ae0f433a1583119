/* SPDX-License-Identifier: GPL-2.0 */
/*
 * DHCP and DHCPv6 messages as the extension guard reads them: RFC 2131, 2132,
 * 3396, 8415. Pure functions on bytes; tools/fuzz compiles them in user space.
 */
#ifndef _VMQ_GUARD_DHCP_H
#define _VMQ_GUARD_DHCP_H

#include <linux/types.h>

#define GUARD_DHCP4_SERVER_PORT	67
#define GUARD_DHCP4_CLIENT_PORT	68
#define GUARD_DHCP6_CLIENT_PORT	546
#define GUARD_DHCP6_SERVER_PORT	547

/* &guard_dhcp4.op */
#define GUARD_BOOTREQUEST	1
#define GUARD_BOOTREPLY		2

/* &guard_dhcp4.type */
enum {
	GUARD_DHCP4_DISCOVER = 1,
	GUARD_DHCP4_OFFER,
	GUARD_DHCP4_REQUEST,
	GUARD_DHCP4_DECLINE,
	GUARD_DHCP4_ACK,
	GUARD_DHCP4_NAK,
	GUARD_DHCP4_RELEASE,
	GUARD_DHCP4_INFORM,
};

/* A lease without an end, in seconds, in both protocols. */
#define GUARD_LEASE_FOREVER	0xffffffff

/**
 * struct guard_dhcp4 - what is of interest in a DHCP message
 * @xid: number of the transaction
 * @lease: seconds of the lease, 0 where there is none in it
 * @ciaddr: address that the client has
 * @yiaddr: address that the client gets
 * @giaddr: address of a relay
 * @requested: address that the client asks for
 * @chaddr: MAC address of the client
 * @op: %GUARD_BOOTREQUEST or %GUARD_BOOTREPLY
 * @type: GUARD_DHCP4_*, 0 for BOOTP
 */
struct guard_dhcp4 {
	u32 xid;
	u32 lease;
	u8 ciaddr[4];
	u8 yiaddr[4];
	u8 giaddr[4];
	u8 requested[4];
	u8 chaddr[6];
	u8 op;
	u8 type;
};

/* &guard_dhcp6.type */
enum {
	GUARD_DHCP6_SOLICIT = 1,
	GUARD_DHCP6_ADVERTISE,
	GUARD_DHCP6_REQUEST,
	GUARD_DHCP6_CONFIRM,
	GUARD_DHCP6_RENEW,
	GUARD_DHCP6_REBIND,
	GUARD_DHCP6_REPLY,
	GUARD_DHCP6_RELEASE,
	GUARD_DHCP6_DECLINE,
	GUARD_DHCP6_RECONFIGURE,
	GUARD_DHCP6_INFORMATION,
	GUARD_DHCP6_RELAY_FORW,
	GUARD_DHCP6_RELAY_REPL,
};

/* Addresses and prefixes of one message that are read. */
#define GUARD_DHCP6_ADDRS	16

/**
 * struct guard_dhcp6_addr - an address or a delegated prefix
 * @addr: the address; what is behind a prefix is 0
 * @valid: seconds that it may be used
 * @len: length of the prefix, 128 for an address
 */
struct guard_dhcp6_addr {
	u8 addr[16];
	u32 valid;
	u8 len;
};

/**
 * struct guard_dhcp6 - what is of interest in a DHCPv6 message
 * @xid: number of the transaction, 24 bits
 * @type: GUARD_DHCP6_*
 * @n: number of @addr
 * @more: there were more than fit
 * @addr: addresses and prefixes that it is about
 */
struct guard_dhcp6 {
	u32 xid;
	u8 type;
	u8 n;
	bool more;
	struct guard_dhcp6_addr addr[GUARD_DHCP6_ADDRS];
};

int guard_dhcp4_parse(const u8 *p, size_t len, struct guard_dhcp4 *msg);
int guard_dhcp6_parse(const u8 *p, size_t len, struct guard_dhcp6 *msg);

#endif /* _VMQ_GUARD_DHCP_H */
