/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Receive side scaling: what a frame is to the hash, and which of its fields are
 * hashed. Numbers of the core record: only ever append.
 *
 * For the kernel and for user space: nothing but constants in here.
 */
#ifndef _VMQ_RSS_TYPE_H
#define _VMQ_RSS_TYPE_H

#include <linux/bits.h>

#define VMQ_RSS_KEY_LEN		40
#define VMQ_RSS_INPUT		36	/* two IPv6 addresses and two ports */
#define VMQ_RSS_TABLE_MIN	128	/* entries */

/* What a frame is to the hash. */
enum vmq_rss_type {
	VMQ_RSS_IP4,		/* without ports that count */
	VMQ_RSS_TCP4,
	VMQ_RSS_UDP4,
	VMQ_RSS_SCTP4,
	VMQ_RSS_IP6,
	VMQ_RSS_TCP6,
	VMQ_RSS_UDP6,
	VMQ_RSS_SCTP6,
	VMQ_RSS_TYPES,
	VMQ_RSS_NO_TYPE = VMQ_RSS_TYPES,
};

/* Which fields of it are hashed. */
enum vmq_rss_field {
	VMQ_RSS_SRC = BIT(0),
	VMQ_RSS_DST = BIT(1),
	VMQ_RSS_SPORT = BIT(2),
	VMQ_RSS_DPORT = BIT(3),
};

#define VMQ_RSS_ADDRS	(VMQ_RSS_SRC | VMQ_RSS_DST)
#define VMQ_RSS_PORTS	(VMQ_RSS_SPORT | VMQ_RSS_DPORT)

#endif /* _VMQ_RSS_TYPE_H */
