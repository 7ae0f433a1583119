// SPDX-License-Identifier: GPL-2.0
/*
 * The extension guard: what was learned, to and from a saved stream.
 *
 * Static bindings and settings are configuration, which the other host has by
 * itself: there the port is guarded from the start, and what was learned only
 * adds to what the guest may send from. So it is refused too much for a moment,
 * never too little.
 */
#include <linux/list.h>
#include <linux/math64.h>
#include <linux/slab.h>

#include "guard.h"

#define GUARD_HDR	sizeof(struct vmq_guard_rec_hdr)

/* ---- save ---- */

/**
 * guard_save_begin - see &vmq_ext_ops.save_begin
 * @ep: the port
 * @extack: unused
 *
 * Return: 0
 */
int guard_save_begin(struct vmq_ext_port *ep, struct netlink_ext_ack *extack)
{
	struct guard_port *guard = ep->priv;

	guard->save_id = 0;
	guard->save_transaction = 0;
	return 0;
}

/* What is left of it in ms, 0 if it is over. */
static u64 guard_left(u64 expires)
{
	u64 now = get_jiffies_64();

	if (time_after_eq64(now, expires))
		return 0;
	return max(div_u64((expires - now) * MSEC_PER_SEC, HZ), 1ULL);
}

/* Is it one that moves? Of a detection that is under way nobody knows the end. */
static bool guard_moves(const struct guard_binding *b)
{
	return b->origin != VMQ_GUARD_ORIGIN_STATIC &&
	       !guard_binding_expired(b) &&
	       (!b->starts || time_after_eq64(get_jiffies_64(), b->starts));
}

static void guard_rec_fill(struct vmq_guard_rec_binding *rec,
			   const struct guard_binding *b)
{
	static const u8 origins[] = {
		[VMQ_GUARD_ORIGIN_DHCP4] = VMQ_GUARD_REC_DHCP4,
		[VMQ_GUARD_ORIGIN_DHCP6] = VMQ_GUARD_REC_DHCP6,
		[VMQ_GUARD_ORIGIN_DAD] = VMQ_GUARD_REC_DAD,
	};

	memset(rec, 0, sizeof(*rec));
	rec->family = b->key.family == AF_INET ? VMQ_GUARD_REC_IPV4 :
						 VMQ_GUARD_REC_IPV6;
	rec->prefix_len = b->key.len;
	rec->origin = origins[b->origin];
	rec->vlan = cpu_to_le16(b->key.vlan);
	memcpy(rec->mac, b->mac, ETH_ALEN);
	rec->lease_ms = cpu_to_le64(b->expires ?
				    max(guard_left(b->expires), 1ULL) :
				    VMQ_GUARD_REC_FOREVER);
	memcpy(rec->addr, &b->key.addr, sizeof(rec->addr));
}

/*
 * Fills up to @max entries from the position of the save on, and counts them;
 * only counts, and stays where it is, where @out is NULL.
 */
static unsigned int guard_save_bindings(struct guard_port *guard, u8 *out,
					unsigned int max)
{
	struct vmq_guard_rec_binding rec;
	struct guard_binding *b;
	unsigned int n = 0;

	spin_lock_bh(&guard->lock);
	list_for_each_entry(b, &guard->bindings, list) {
		if (n == max)
			break;
		if (b->id < guard->save_id || !guard_moves(b))
			continue;
		n++;
		if (!out)
			continue;
		guard_rec_fill(&rec, b);
		memcpy(out, &rec, sizeof(rec));
		out += sizeof(rec);
		guard->save_id = b->id + 1;
	}
	spin_unlock_bh(&guard->lock);
	return n;
}

static unsigned int guard_save_transactions(struct guard_port *guard, u8 *out,
					    unsigned int max)
{
	struct vmq_guard_rec_transaction rec;
	const struct guard_transaction *t;
	unsigned int i, n = 0;
	u64 left;

	spin_lock_bh(&guard->lock);
	for (i = guard->save_transaction; n < max && i < GUARD_TRANSACTIONS;
	     i++) {
		t = &guard->transactions[i];
		left = t->expires ? guard_left(t->expires) : 0;
		if (!left)
			continue;
		n++;
		if (!out)
			continue;
		memset(&rec, 0, sizeof(rec));
		rec.family = t->family == AF_INET ? VMQ_GUARD_REC_IPV4 :
						    VMQ_GUARD_REC_IPV6;
		rec.vlan = cpu_to_le16(t->vlan);
		rec.xid = cpu_to_le32(t->xid);
		rec.wait_ms = cpu_to_le32(min_t(u64, left,
						VMQ_GUARD_REC_WAIT_MAX));
		memcpy(rec.mac, t->mac, ETH_ALEN);
		memcpy(rec.requested, &t->requested, sizeof(rec.requested));
		memcpy(out, &rec, sizeof(rec));
		out += sizeof(rec);
		guard->save_transaction = i + 1;
	}
	spin_unlock_bh(&guard->lock);
	return n;
}

/* One record of either kind; 0 if there is nothing left of it. */
static int guard_save_kind(struct guard_port *guard, struct vmq_record *rec,
			   u16 kind, unsigned int size,
			   unsigned int (*fill)(struct guard_port *guard,
						u8 *out, unsigned int max))
{
	unsigned int most = (VMQ_RECORD_DATA_MAX - GUARD_HDR) / size;
	struct vmq_guard_rec_hdr hdr = {
		.entry_size = cpu_to_le16(size),
		.kind = cpu_to_le16(kind),
	};
	unsigned int n = fill(guard, NULL, most);

	if (!n)
		return 0;
	if (rec->size < GUARD_HDR + n * size) {
		rec->needed = GUARD_HDR + n * size;
		return -EMSGSIZE;
	}
	n = fill(guard, rec->data + GUARD_HDR,
		 min_t(unsigned int, (rec->size - GUARD_HDR) / size, most));
	if (!n)
		return 0;
	hdr.count = cpu_to_le32(n);
	memcpy(rec->data, &hdr, sizeof(hdr));
	rec->class = uuid_null;
	return GUARD_HDR + n * size;
}

/**
 * guard_save_next - see &vmq_ext_ops.save_next
 * @ep: the port
 * @rec: the record
 *
 * Return: bytes, 0 at the end, or -EMSGSIZE
 */
int guard_save_next(struct vmq_ext_port *ep, struct vmq_record *rec)
{
	struct guard_port *guard = ep->priv;
	int len;

	/* Without them the guest could not send. */
	rec->version = VMQ_GUARD_REC_VERSION_BINDINGS;
	rec->flags = 0;
	len = guard_save_kind(guard, rec, VMQ_GUARD_REC_BINDINGS,
			      sizeof(struct vmq_guard_rec_binding),
			      guard_save_bindings);
	if (len)
		return len;

	/* Without these it asks again. */
	rec->version = VMQ_GUARD_REC_VERSION_TRANSACTIONS;
	rec->flags = VMQ_RECORD_OPTIONAL;
	return guard_save_kind(guard, rec, VMQ_GUARD_REC_TRANSACTIONS,
			       sizeof(struct vmq_guard_rec_transaction),
			       guard_save_transactions);
}

/* ---- restore ---- */

/* A binding that came in, and the one that it took the place of, or NULL. */
struct guard_step {
	struct list_head list;
	struct guard_binding *new;
	struct guard_binding *old;
};

struct guard_session {
	struct list_head steps;		/* newest first */
	unsigned int extra;		/* bindings that will be new */
	u64 begun;			/* jiffies64: when the stream was there */
	bool had_transactions;		/* the copy below is to be put back */
	struct guard_transaction transactions[GUARD_TRANSACTIONS];
};

/**
 * guard_restore_begin - see &vmq_ext_ops.restore_begin
 * @ep: the port
 * @extack: says why not
 *
 * Return: 0 or -ENOMEM
 */
int guard_restore_begin(struct vmq_ext_port *ep, struct netlink_ext_ack *extack)
{
	struct guard_session *session;

	session = kzalloc(sizeof(*session), GFP_KERNEL);
	if (!session) {
		NL_SET_ERR_MSG(extack, "guard: no memory for a restore");
		return -ENOMEM;
	}
	INIT_LIST_HEAD(&session->steps);
	session->begun = get_jiffies_64();
	ep->session = session;
	return 0;
}

static void guard_rec_key(const struct vmq_guard_rec_binding *rec,
			  struct guard_key *key)
{
	*key = (struct guard_key){
		.vlan = le16_to_cpu(rec->vlan),
		.family = rec->family == VMQ_GUARD_REC_IPV4 ? AF_INET : AF_INET6,
		.len = rec->prefix_len,
	};
	memcpy(&key->addr, rec->addr, sizeof(key->addr));
}

/**
 * guard_validate - see &vmq_ext_ops.validate
 * @ep: the port
 * @rec: the record
 * @extack: says what is wrong with it
 *
 * Return: 0, -EOPNOTSUPP, -EINVAL or -ENOSPC
 */
int guard_validate(struct vmq_ext_port *ep, const struct vmq_record *rec,
		   struct netlink_ext_ack *extack)
{
	struct guard_session *session = ep->session;
	struct guard_port *guard = ep->priv;
	struct vmq_guard_rec_binding entry;
	struct guard_key key;
	const char *wrong;
	unsigned int max;
	u32 i;

	if (!rec->version || rec->version > VMQ_GUARD_REC_VERSION ||
	    !uuid_is_null(&rec->class)) {
		NL_SET_ERR_MSG(extack, "guard: a record is of an unknown version or class");
		return -EOPNOTSUPP;
	}
	wrong = guard_rec_check(rec->data, rec->size, rec->version);
	if (wrong) {
		NL_SET_ERR_MSG_FMT(extack, "%s", wrong);
		return -EINVAL;
	}
	if (rec->version != VMQ_GUARD_REC_VERSION_BINDINGS)
		return 0;

	/* What only takes the place of another needs no room. */
	for (i = 0; i < guard_rec_count(rec->data); i++) {
		guard_rec_get_binding(rec->data, i, &entry);
		if (entry.origin == VMQ_GUARD_REC_DAD)
			continue;
		guard_rec_key(&entry, &key);
		rcu_read_lock();
		session->extra += !guard_find(guard, &key);
		rcu_read_unlock();
	}
	max = READ_ONCE(guard->max);
	if (session->extra && READ_ONCE(guard->n) + session->extra > max) {
		NL_SET_ERR_MSG_FMT(extack,
				   "guard: more bindings than max-bindings, %u",
				   max);
		return -ENOSPC;
	}
	return 0;
}

/* The lease ran on while the stream waited for its commit. */
static void guard_age(struct guard_binding *b, u64 since)
{
	u64 waited = get_jiffies_64() - since;

	if (b->expires)
		b->expires -= min(waited, b->expires - 1);
}

static void guard_steps_free(struct list_head *steps)
{
	struct guard_step *step, *tmp;

	list_for_each_entry_safe(step, tmp, steps, list) {
		guard_binding_put(step->new);
		guard_binding_put(step->old);
		kfree(step);
	}
}

/* Everything that takes memory, before anything is changed. */
static int guard_steps_prepare(const struct guard_session *session,
			       const struct vmq_record *rec,
			       struct list_head *steps)
{
	struct vmq_guard_rec_binding entry;
	struct guard_step *step;
	u32 i;

	for (i = 0; i < guard_rec_count(rec->data); i++) {
		step = kzalloc(sizeof(*step), GFP_KERNEL);
		if (!step)
			return -ENOMEM;
		list_add_tail(&step->list, steps);
		guard_rec_get_binding(rec->data, i, &entry);
		step->new = guard_binding_from_rec(&entry, GFP_KERNEL);
		if (!step->new)
			return -ENOMEM;
		step->new->restored = true;
		guard_age(step->new, session->begun);
		cond_resched();
	}
	return 0;
}

/*
 * A static binding of the same address stays, and so does what frames put into
 * the last free place: no reason to give up (SR-37).
 */
static void guard_apply_bindings(struct guard_port *guard,
				 struct guard_session *session,
				 struct list_head *steps)
{
	struct guard_step *step, *tmp;

	spin_lock_bh(&guard->lock);
	list_for_each_entry_safe(step, tmp, steps, list) {
		/* one reference for the tables, one for the session */
		refcount_inc(&step->new->refs);
		if (guard_learn(guard, step->new, &step->old)) {
			refcount_dec(&step->new->refs);
			continue;
		}
		list_move(&step->list, &session->steps);
	}
	spin_unlock_bh(&guard->lock);
	/* those that had no place */
	guard_steps_free(steps);
}

static void guard_apply_transactions(struct guard_port *guard,
				     struct guard_session *session,
				     const struct vmq_record *rec)
{
	struct vmq_guard_rec_transaction entry;
	struct guard_transaction *t;
	u32 i, slot;

	spin_lock_bh(&guard->lock);
	if (!session->had_transactions)
		memcpy(session->transactions, guard->transactions,
		       sizeof(session->transactions));
	session->had_transactions = true;
	for (i = 0; i < guard_rec_count(rec->data); i++) {
		guard_rec_get_transaction(rec->data, i, &entry);
		t = NULL;
		for (slot = 0; !t && slot < GUARD_TRANSACTIONS; slot++)
			if (!guard->transactions[slot].expires)
				t = &guard->transactions[slot];
		if (!t)
			break;
		t->expires = get_jiffies_64() +
			     msecs_to_jiffies(le32_to_cpu(entry.wait_ms));
		t->family = entry.family == VMQ_GUARD_REC_IPV4 ? AF_INET :
								 AF_INET6;
		t->vlan = le16_to_cpu(entry.vlan);
		t->xid = le32_to_cpu(entry.xid);
		memcpy(t->mac, entry.mac, ETH_ALEN);
		memcpy(&t->requested, entry.requested, sizeof(t->requested));
	}
	spin_unlock_bh(&guard->lock);
}

/**
 * guard_apply - see &vmq_ext_ops.apply
 * @ep: the port
 * @rec: the record
 * @extack: says why not
 *
 * Return: 0, -EINVAL or -ENOMEM
 */
int guard_apply(struct vmq_ext_port *ep, const struct vmq_record *rec,
		struct netlink_ext_ack *extack)
{
	struct guard_session *session = ep->session;
	struct guard_port *guard = ep->priv;
	LIST_HEAD(steps);
	int err;

	/* Cheap, and a table is not the place for what was not validated. */
	if (guard_rec_check(rec->data, rec->size, rec->version))
		return -EINVAL;
	if (rec->version != VMQ_GUARD_REC_VERSION_BINDINGS) {
		guard_apply_transactions(guard, session, rec);
		return 0;
	}
	err = guard_steps_prepare(session, rec, &steps);
	if (err) {
		guard_steps_free(&steps);
		NL_SET_ERR_MSG(extack, "guard: no memory for bindings");
		return err;
	}
	guard_apply_bindings(guard, session, &steps);
	return 0;
}

/* Puts back what a step took the place of, unless there is another by now. */
static void guard_put_back(struct guard_port *guard, struct guard_step *step)
{
	if (!step->old || guard_binding_expired(step->old) ||
	    guard_find(guard, &step->old->key))
		return;
	guard_insert(guard, step->old);
	step->old = NULL;
}

/**
 * guard_rollback - see &vmq_ext_ops.rollback
 * @ep: the port
 *
 * What frames made since then stays: it is not of the restore.
 */
void guard_rollback(struct vmq_ext_port *ep)
{
	struct guard_session *session = ep->session;
	struct guard_port *guard = ep->priv;
	struct guard_step *step;

	spin_lock_bh(&guard->lock);
	list_for_each_entry(step, &session->steps, list) {
		if (step->new->dead)
			continue;
		guard_remove(guard, step->new);
		/* the session has another reference */
		guard_binding_put(step->new);
		guard_put_back(guard, step);
	}
	if (session->had_transactions)
		memcpy(guard->transactions, session->transactions,
		       sizeof(guard->transactions));
	spin_unlock_bh(&guard->lock);
	guard_steps_free(&session->steps);
	INIT_LIST_HEAD(&session->steps);
}

/**
 * guard_restore_complete - see &vmq_ext_ops.restore_complete
 * @ep: the port
 * @ok: whether the restore went well
 */
void guard_restore_complete(struct vmq_ext_port *ep, bool ok)
{
	struct guard_session *session = ep->session;

	guard_steps_free(&session->steps);
	kfree(session);
	ep->session = NULL;
}
