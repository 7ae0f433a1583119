/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Receive side scaling: spreads flows over several queues by a Toeplitz hash of
 * header fields and a table. The adapter has one table for frames that no filter
 * claims, a port one for its own queues, and each RSS context has one.
 */
#ifndef _VMQ_RSS_H
#define _VMQ_RSS_H

#include <linux/list.h>
#include <linux/types.h>

#include "rss_type.h"
#include "rule.h"

struct netlink_ext_ack;
struct vmq_adapter;
struct vmq_port;
struct vmq_queue;

/* ---- rss_hash.c: pure ---- */

/**
 * struct vmq_rss_hash - a hash function: key and fields
 * @key: the key
 * @fields: of &enum vmq_rss_field, by &enum vmq_rss_type
 * @part: what each value of each half byte of the input adds to the hash
 */
struct vmq_rss_hash {
	u8 key[VMQ_RSS_KEY_LEN];
	u8 fields[VMQ_RSS_TYPES];
	u32 part[2 * VMQ_RSS_INPUT][16];
};

void vmq_rss_hash_key(struct vmq_rss_hash *hash, const u8 *key);
void vmq_rss_hash_defaults(struct vmq_rss_hash *hash);
u32 vmq_rss_toeplitz(const struct vmq_rss_hash *hash, const u8 *input,
		     unsigned int len);
enum vmq_rss_type vmq_rss_type(const struct vmq_key *key);
bool vmq_rss_hash(const struct vmq_rss_hash *hash, const struct vmq_key *key,
		  u32 *out);

/* ---- rss.c ---- */

/**
 * struct vmq_rss - a table and its hash, as the data path reads them
 * @rcu: frees it
 * @dflt: the queue of frames without a hash (V-39)
 * @hash: the hash
 * @size: entries, a power of two (V-40)
 * @n_held: queues that it holds, without those of a port
 * @held: them, each once
 * @table: the entries
 *
 * Immutable: a change makes the next one and swaps the pointer.
 */
struct vmq_rss {
	struct rcu_head rcu;
	struct vmq_queue *dflt;
	struct vmq_rss_hash hash;
	u32 size;
	u32 n_held;
	struct vmq_queue **held;
	struct vmq_queue *table[] __counted_by(size);
};

/**
 * struct vmq_spread - what has a table: adapter, port or context
 * @soft: stands for it as the target of filters; soft->rss is its table
 * @offsets: tables made from this one, rss_offset.c
 * @follows: over all queues that nobody claims, whichever these are
 * @next: the table that is about to replace the present one
 */
struct vmq_spread {
	struct vmq_queue *soft;
	struct list_head offsets;
	bool follows;
	struct vmq_rss *next;
};

/* ---- rss.c, rss_follow.c, rss_ctx.c, rss_offset.c, rss_port.c among themselves ---- */

struct vmq_rss_change;

#define VMQ_NO_QUEUE	(~0U)

bool vmq_queue_claimed(const struct vmq_queue *q);
struct vmq_rss *vmq_spread_rss(const struct vmq_adapter *a,
			       const struct vmq_spread *s);
struct vmq_rss *vmq_rss_alloc(u32 size);
struct vmq_rss *vmq_rss_first(u32 queues);
bool vmq_rss_is_default(const u32 *ids, u32 size, u32 count);
void vmq_rss_drop(struct vmq_rss *rss);
int vmq_rss_build(struct vmq_adapter *a, struct vmq_spread *s,
		  const u32 *ids, const struct vmq_port *port,
		  const struct vmq_rss_change *change,
		  struct netlink_ext_ack *extack);
void vmq_rss_publish(struct vmq_adapter *a, struct vmq_spread *s);
int vmq_rss_check(struct vmq_adapter *a, const struct vmq_spread *s,
		  const u32 *ids, u32 size, struct vmq_port **port,
		  struct netlink_ext_ack *extack);
void vmq_rss_init_soft(struct vmq_adapter *a, struct vmq_spread *s,
		       struct vmq_queue *soft);
void vmq_rss_unclaimed(struct vmq_adapter *a, u32 *ids, u32 size, u32 count,
		       u32 except);
struct vmq_spread *vmq_spread_next(struct vmq_adapter *a, struct vmq_spread *s);
int vmq_rss_offsets_build(struct vmq_adapter *a, struct vmq_spread *s,
			  const u32 *ids, const struct vmq_port *port,
			  const struct vmq_rss_change *change,
			  struct netlink_ext_ack *extack);
void vmq_rss_offsets_publish(struct vmq_adapter *a, struct vmq_spread *s,
			     struct vmq_port *port);
struct vmq_queue *vmq_rss_offset_nth(const struct vmq_spread *s, u32 *n);

#endif /* _VMQ_RSS_H */
