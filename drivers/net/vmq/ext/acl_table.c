// SPDX-License-Identifier: GPL-2.0
/*
 * The extension acl: the connections of a port.
 *
 * A connection is in a hash table, where frames find it under RCU, and in an
 * array under a small number, which gives walks an order to resume in while
 * connections come and go. Frames make connections and change their state;
 * only process context takes them out of the table.
 */
#include <linux/hash.h>
#include <linux/prefetch.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "acl.h"

#define ACL_KEY_WORDS	(sizeof(struct acl_key) / sizeof(u64))

/* What a frame of a known connection looks at, in one line where lines have 64 bytes. */
static_assert(offsetofend(struct acl_key, rest) == ACL_KEY_WORDS * sizeof(u64));
static_assert(offsetof(struct acl_conn, key) % sizeof(u64) == 0);
static_assert(L1_CACHE_BYTES != 64 ||
	      offsetofend(struct acl_conn, packets) == L1_CACHE_BYTES);

/* Random, so that nobody outside can tell which names meet in a bucket. */
static u64 acl_hash_key[ACL_KEY_WORDS] __read_mostly;

/*
 * NH of UMAC (RFC 4418): two names meet with a probability of 2^-32, whatever they
 * are, and its multiplications do not wait for each other as jhash() does.
 */
static __always_inline u32 acl_key_hash(const void *data, u32 len, u32 seed)
{
	const u64 *word = data;
	u64 sum = seed;
	unsigned int i;

	for (i = 0; i < ACL_KEY_WORDS; i++)
		sum += (u64)(u32)(word[i] + acl_hash_key[i]) *
		       (u32)((word[i] >> 32) + (acl_hash_key[i] >> 32));
	/* The table takes low bits: bring all others down to them. */
	sum ^= sum >> 32;

	return (sum * GOLDEN_RATIO_64) >> 32;
}

static __always_inline int
acl_key_cmp(struct rhashtable_compare_arg *arg, const void *obj)
{
	const u64 *a = arg->key, *b = (u64 *)&((struct acl_conn *)obj)->key;

	return ((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) |
		(a[3] ^ b[3]) | (a[4] ^ b[4])) != 0;
}

static const struct rhashtable_params acl_table_params = {
	.head_offset = offsetof(struct acl_conn, node),
	.key_offset = offsetof(struct acl_conn, key),
	.key_len = sizeof(struct acl_key),
	.hashfn = acl_key_hash,
	.obj_cmpfn = acl_key_cmp,
	.automatic_shrinking = true,
};

/**
 * acl_conns_seed - Make the hash of connections random.
 *
 * Once, before there is any connection.
 */
void acl_conns_seed(void)
{
	get_random_bytes(acl_hash_key, sizeof(acl_hash_key));
}

/**
 * acl_conn_find - Find a connection.
 * @acl: the port
 * @key: its name
 *
 * Context: inside an RCU read-side section.
 * Return: the connection, which may have expired, or NULL.
 */
struct acl_conn *acl_conn_find(struct acl_port *acl, const struct acl_key *key)
{
	return rhashtable_lookup(&acl->table, key, acl_table_params);
}

/*
 * Puts a connection into the table. If one of this name is there nothing
 * changes and that one is returned; NULL is success.
 */
static struct acl_conn *acl_conn_link(struct acl_port *acl,
				      struct acl_conn *conn)
{
	struct acl_conn *old;
	int err;

	lockdep_assert_held(&acl->lock);

	old = rhashtable_lookup_get_insert_fast(&acl->table, &conn->node,
						acl_table_params);
	if (old)
		return old;

	err = xa_alloc(&acl->conns, &conn->index, conn, xa_limit_31b,
		       GFP_ATOMIC | __GFP_NOWARN);
	if (err) {
		rhashtable_remove_fast(&acl->table, &conn->node,
				       acl_table_params);
		return ERR_PTR(err);
	}

	/* The first one wakes the collector; it runs as long as there is one. */
	WRITE_ONCE(acl->n_conns, acl->n_conns + 1);
	if (acl->n_conns == 1)
		queue_delayed_work(system_power_efficient_wq, &acl->gc,
				   ACL_GC_INTERVAL * HZ);

	return NULL;
}

static void acl_conn_unlink(struct acl_port *acl, struct acl_conn *conn)
{
	lockdep_assert_held(&acl->lock);

	rhashtable_remove_fast(&acl->table, &conn->node, acl_table_params);
	xa_erase(&acl->conns, conn->index);
	WRITE_ONCE(acl->n_conns, acl->n_conns - 1);
}

/* @new takes the place of @old; nothing is allocated, so it cannot fail. */
static void acl_conn_swap(struct acl_port *acl, struct acl_conn *old,
			  struct acl_conn *new)
{
	lockdep_assert_held(&acl->lock);

	new->index = old->index;
	rhashtable_replace_fast(&acl->table, &old->node, &new->node,
				acl_table_params);
	xa_store(&acl->conns, new->index, new, GFP_ATOMIC);
}

static void acl_conn_mark(struct acl_conn *conn, bool dead)
{
	spin_lock(&conn->lock);
	conn->dead = dead;
	spin_unlock(&conn->lock);
}

/**
 * acl_conn_start - Make the connection of a frame that the rules allowed.
 * @acl: the port
 * @conn: a connection of that name that is over, or NULL
 * @flow: the frame, %ACL_FLOW_TRACKED
 *
 * Context: BH disabled, inside an RCU read-side section.
 * Return: 0, -ENOSPC if the port has as many connections as it may have, or
 * another error if there is no memory.
 */
int acl_conn_start(struct acl_port *acl, struct acl_conn *conn,
		   const struct acl_flow *flow)
{
	struct acl_conn *new, *old;
	int err = 0;

	if (conn && acl_conn_restart(conn, flow))
		return 0;

	/* Looked at first without the lock, for a flood of new flows. */
	if (READ_ONCE(acl->n_conns) >= READ_ONCE(acl->max_conns))
		return -ENOSPC;

	/* charged to who sends it, where that is known */
	new = kzalloc(sizeof(*new), GFP_ATOMIC | __GFP_NOWARN | __GFP_ACCOUNT);
	if (!new)
		return -ENOMEM;

	spin_lock_init(&new->lock);
	new->key = flow->key;
	acl_conn_reset(new, flow);

	spin_lock(&acl->lock);
	old = acl->n_conns < READ_ONCE(acl->max_conns) ? acl_conn_link(acl, new) :
					      ERR_PTR(-ENOSPC);
	if (IS_ERR(old))
		err = PTR_ERR(old);
	else if (old && !acl_conn_follow(old, flow))
		/* Another CPU was quicker, or brought the frame out of order. */
		acl_conn_restart(old, flow);
	spin_unlock(&acl->lock);

	if (old)
		kfree(new);

	return err;
}

/* ---- connections of a restore ---- */

/**
 * acl_conns_pin - Let a restore begin that connections can belong to.
 * @acl: the port
 *
 * Until acl_conns_unpin() each connection with &acl_conn.pin set to &acl_port.pin
 * is the restore's to free, in the table or not.
 */
void acl_conns_pin(struct acl_port *acl)
{
	spin_lock_bh(&acl->lock);
	acl->pin = ++acl->last_pin;
	acl->loose = 0;
	spin_unlock_bh(&acl->lock);
}

/**
 * acl_conns_unpin - Make the connections of a restore like any other.
 * @acl: the port
 * @all: even if it has connections that are not in the table, as the caller saw
 *	to them
 *
 * Return: whether it was done; if not, each has to be looked at.
 */
bool acl_conns_unpin(struct acl_port *acl, bool all)
{
	bool done;

	spin_lock_bh(&acl->lock);
	done = all || !acl->loose;
	if (done)
		acl->pin = 0;
	spin_unlock_bh(&acl->lock);

	return done;
}

/**
 * acl_conn_pinned - Tell whether a connection belongs to the restore that runs.
 * @acl: the port
 * @conn: the connection
 *
 * Context: &acl_port.lock held, or nobody else there.
 * Return: whether it does.
 */
bool acl_conn_pinned(const struct acl_port *acl, const struct acl_conn *conn)
{
	return acl->pin && conn->pin == acl->pin;
}

/*
 * An empty table for @n connections, or none. A hint has 16 bits: a table for more than
 * 98,304 connections grows once or twice while they come.
 */
static struct rhashtable *acl_table_make(unsigned int n)
{
	struct rhashtable_params params = acl_table_params;
	struct rhashtable *ht;

	ht = kzalloc(sizeof(*ht), GFP_KERNEL);
	if (!ht)
		return NULL;
	params.nelem_hint = min_t(unsigned int, n, U16_MAX);
	if (rhashtable_init(ht, &params)) {
		kfree(ht);
		return NULL;
	}
	return ht;
}

/**
 * acl_conns_reserve - Make room for many connections that are about to come.
 * @acl: the port
 * @n: how many
 *
 * Where there are connections already the table grows step by step, as ever. A
 * table without any is replaced by one of the right size instead, as each step
 * touches all that are there by then: that was most of the time of a large restore.
 * Without memory for it nothing changes.
 *
 * Context: may sleep.
 */
void acl_conns_reserve(struct acl_port *acl, unsigned int n)
{
	struct rhashtable *ht = &acl->table, *spare = acl_table_make(n);
	struct bucket_table *tbl;
	bool swapped = false;

	if (!spare)
		return;

	/* Who flushed the table just now made it shrink: not after this. */
	flush_work(&ht->run_work);
	/* Keeps those out who make it grow or shrink. */
	mutex_lock(&ht->mutex);
	spin_lock_bh(&acl->lock);
	tbl = rcu_dereference_protected(ht->tbl,
					lockdep_is_held(&ht->mutex));
	if (!acl->n_conns && !rcu_access_pointer(tbl->future_tbl)) {
		tbl = rcu_replace_pointer(ht->tbl,
					  rcu_access_pointer(spare->tbl),
					  lockdep_is_held(&ht->mutex));
		RCU_INIT_POINTER(spare->tbl, tbl);
		swapped = true;
	}
	spin_unlock_bh(&acl->lock);
	mutex_unlock(&ht->mutex);

	/* Frames may be looking into the old one. */
	if (swapped)
		synchronize_net();
	rhashtable_destroy(spare);
	kfree(spare);
}

/**
 * acl_conn_expect - Let the CPU fetch what acl_conn_insert() looks at first.
 * @acl: the port
 * @key: name of the connection
 */
void acl_conn_expect(struct acl_port *acl, const struct acl_key *key)
{
	const struct bucket_table *tbl;
	unsigned int hash;

	rcu_read_lock();
	tbl = rht_dereference_rcu(acl->table.tbl, &acl->table);
	hash = rht_key_hashfn(&acl->table, tbl, key, acl_table_params);
	prefetchw(rht_bucket(tbl, hash));
	rcu_read_unlock();
}

/**
 * acl_conn_insert - Put a restored connection into the table.
 * @acl: the port
 * @conn: the connection
 * @old: set to the connection of the same name whose place it took, or to NULL;
 *	that one is the caller's now
 *
 * Context: BH disabled, &acl_port.lock held, inside an RCU read-side section.
 * Return: 0, -ENOSPC or -ENOMEM.
 */
int acl_conn_insert(struct acl_port *acl, struct acl_conn *conn,
		    struct acl_conn **old)
{
	struct acl_conn *found;

	lockdep_assert_held(&acl->lock);

	*old = NULL;
	/* What takes the place of another needs no room. */
	found = acl->n_conns < READ_ONCE(acl->max_conns) ?
		acl_conn_link(acl, conn) :
		acl_conn_find(acl, &conn->key) ?: ERR_PTR(-ENOSPC);
	if (IS_ERR(found))
		return PTR_ERR(found);
	if (found) {
		acl_conn_mark(found, true);
		acl_conn_swap(acl, found, conn);
		acl->loose++;
		*old = found;
	}
	return 0;
}

/**
 * acl_conn_put_back - Undo acl_conn_insert().
 * @acl: the port
 * @conn: the connection that was inserted; if it was flushed since then nothing
 *	comes back
 * @old: the connection whose place it took, or NULL
 *
 * Return: whether @old is in the table again; if not, both are the caller's.
 */
bool acl_conn_put_back(struct acl_port *acl, struct acl_conn *conn,
		       struct acl_conn *old)
{
	bool back = false;

	spin_lock_bh(&acl->lock);
	if (!conn->dead) {
		acl_conn_mark(conn, true);
		if (old) {
			acl_conn_swap(acl, conn, old);
			acl_conn_mark(old, false);
			back = true;
		} else {
			acl_conn_unlink(acl, conn);
		}
	}
	spin_unlock_bh(&acl->lock);

	return back;
}

/**
 * acl_conn_keep - Make a restored connection like any other.
 * @acl: the port
 * @conn: the connection
 *
 * Return: whether it is in the table; if not, it is still the caller's.
 */
bool acl_conn_keep(struct acl_port *acl, struct acl_conn *conn)
{
	bool kept;

	spin_lock_bh(&acl->lock);
	kept = !conn->dead;
	if (kept)
		conn->pin = 0;
	spin_unlock_bh(&acl->lock);

	return kept;
}

/*
 * Takes a connection that was found in acl->conns out of the table: any, or
 * only if it is over. One that a restore owns stays until the restore ended.
 */
static void acl_conn_drop(struct acl_port *acl, struct acl_conn *conn,
			  bool any)
{
	bool gone = false;

	spin_lock_bh(&acl->lock);
	spin_lock(&conn->lock);
	if (!conn->dead &&
	    (any || (!acl_conn_pinned(acl, conn) && acl_conn_expired(conn)))) {
		conn->dead = true;
		gone = true;
	}
	spin_unlock(&conn->lock);
	if (gone) {
		acl_conn_unlink(acl, conn);
		if (acl_conn_pinned(acl, conn))
			acl->loose++;
		else
			kfree_rcu(conn, rcu);
	}
	spin_unlock_bh(&acl->lock);
}

/**
 * acl_conns_flush - Forget all connections.
 * @acl: the port
 *
 * Context: may sleep.
 */
void acl_conns_flush(struct acl_port *acl)
{
	unsigned int budget = ACL_GC_BATCH;
	struct acl_conn *conn;
	unsigned long index = 0;

	for (;;) {
		rcu_read_lock();
		conn = xa_find(&acl->conns, &index, ULONG_MAX, XA_PRESENT);
		if (conn)
			acl_conn_drop(acl, conn, true);
		rcu_read_unlock();
		if (!conn)
			return;

		index++;
		if (!--budget) {
			budget = ACL_GC_BATCH;
			cond_resched();
		}
	}
}

/*
 * A frame that saw the connection in its old state may have written the old,
 * longer timeout after another frame closed it. The collector puts that right.
 */
static void acl_conn_check(struct acl_conn *conn)
{
	u32 latest = acl_conn_deadline(conn, READ_ONCE(conn->state));

	if ((s32)(READ_ONCE(conn->expires) - latest) > 0)
		WRITE_ONCE(conn->expires, latest);
}

/**
 * acl_conns_collect - Look at some connections and forget those that expired.
 * @acl: the port
 *
 * Return: true if it is not through with all connections.
 */
bool acl_conns_collect(struct acl_port *acl)
{
	unsigned int budget = ACL_GC_BATCH;
	struct acl_conn *conn;
	unsigned long index = acl->gc_pos;

	rcu_read_lock();
	while (budget--) {
		conn = xa_find(&acl->conns, &index, ULONG_MAX, XA_PRESENT);
		if (!conn) {
			rcu_read_unlock();
			acl->gc_pos = 0;
			return false;
		}

		if (acl_conn_expired(conn))
			acl_conn_drop(acl, conn, false);
		else
			acl_conn_check(conn);
		index++;
	}
	rcu_read_unlock();
	acl->gc_pos = index;

	return true;
}

static void acl_gc_work(struct work_struct *work)
{
	struct acl_port *acl = container_of(work, struct acl_port, gc.work);
	unsigned long delay = 0;

	if (!acl_conns_collect(acl)) {
		/* Whoever makes the first connection afterwards starts it. */
		if (!READ_ONCE(acl->n_conns))
			return;
		delay = ACL_GC_INTERVAL * HZ;
	}

	queue_delayed_work(system_power_efficient_wq, &acl->gc, delay);
}

/**
 * acl_conns_init - Prepare the table of a port.
 * @acl: the port
 *
 * Return: 0 or -ENOMEM.
 */
int acl_conns_init(struct acl_port *acl)
{
	spin_lock_init(&acl->lock);
	xa_init_flags(&acl->conns, XA_FLAGS_ALLOC | XA_FLAGS_ACCOUNT);
	INIT_DEFERRABLE_WORK(&acl->gc, acl_gc_work);
	acl->max_conns = ACL_CONNS_DEFAULT;

	return rhashtable_init(&acl->table, &acl_table_params);
}

static void acl_conn_free(void *ptr, void *unused)
{
	kfree(ptr);
}

/**
 * acl_conns_destroy - Free the table of a port and all connections.
 * @acl: the port; no frame reaches it any more
 *
 * Context: may sleep.
 */
void acl_conns_destroy(struct acl_port *acl)
{
	cancel_delayed_work_sync(&acl->gc);
	xa_destroy(&acl->conns);
	rhashtable_free_and_destroy(&acl->table, acl_conn_free, NULL);
}
