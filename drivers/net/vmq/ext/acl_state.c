// SPDX-License-Identifier: GPL-2.0
/*
 * The extension acl: connections to and from a saved stream.
 *
 * Only connections travel: rules are configuration, which the other host has
 * by itself. A record may have been written by anybody, so that a connection
 * gets into the table only after every field of it was checked.
 */
#include <linux/if_vlan.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "acl.h"

#define ACL_HDR		sizeof(struct vmq_acl_rec_hdr)
#define ACL_ENTRY	sizeof(struct vmq_acl_rec_conn)
#define ACL_PER_RECORD	((VMQ_RECORD_DATA_MAX - ACL_HDR) / ACL_ENTRY)

/* Connections put into the table in a go. */
#define ACL_APPLY_BATCH	64

/* Worth a table of the right size before they come. */
#define ACL_APPLY_MANY	1024

/* ---- save ---- */

static void acl_addr_put(u8 *to, const struct in6_addr *addr)
{
	memcpy(to, addr, sizeof(*addr));
}

/* Returns false for a connection that has expired. */
static bool acl_rec_fill(struct vmq_acl_rec_conn *rec, struct acl_conn *conn)
{
	const struct acl_key *key = &conn->key;
	u8 state, dir, fins;
	int left;

	/* All of one life of the connection, even if a frame starts another. */
	spin_lock_bh(&conn->lock);
	left = acl_conn_left(conn);
	state = conn->state;
	dir = conn->dir;
	fins = conn->fins;
	spin_unlock_bh(&conn->lock);

	if (left <= 0)
		return false;

	memset(rec, 0, sizeof(*rec));
	rec->family = key->rest & ACL_KEY_IPV6 ? VMQ_ACL_REC_IPV6 :
						  VMQ_ACL_REC_IPV4;
	rec->proto = acl_key_proto(key);
	rec->state = state;
	rec->direction = dir;
	rec->vlan = cpu_to_le16(FIELD_GET(ACL_KEY_VLAN, key->rest));
	rec->flags = cpu_to_le16(fins);
	rec->local_port =
		cpu_to_le16(FIELD_GET(ACL_KEY_LOCAL_PORT, key->rest));
	rec->remote_port =
		cpu_to_le16(FIELD_GET(ACL_KEY_REMOTE_PORT, key->rest));
	rec->timeout_ms = cpu_to_le32(max(jiffies_to_msecs(left), 1U));
	acl_addr_put(rec->local, &key->local);
	acl_addr_put(rec->remote, &key->remote);
	rec->packets_in = cpu_to_le64(acl_conn_packets(conn, VMQ_TO_GUEST));
	rec->packets_out = cpu_to_le64(acl_conn_packets(conn, VMQ_FROM_GUEST));

	return true;
}

/* Fills up to @max entries from the position of the save on; @out may be NULL. */
static unsigned int acl_save_fill(struct acl_port *acl, u8 *out,
				  unsigned int max)
{
	struct vmq_acl_rec_conn rec;
	unsigned int n = 0;
	struct acl_conn *conn;
	unsigned long index;

	rcu_read_lock();
	while (n < max) {
		index = acl->save_pos;
		conn = xa_find(&acl->conns, &index, ULONG_MAX, XA_PRESENT);
		if (!conn)
			break;

		acl->save_pos = index;
		if (acl_rec_fill(&rec, conn)) {
			n++;
			/* Only asked whether there is one: stay before it. */
			if (!out)
				break;
			memcpy(out, &rec, sizeof(rec));
			out += sizeof(rec);
		}
		acl->save_pos++;
	}
	rcu_read_unlock();

	return n;
}

/**
 * acl_save_begin - see &vmq_ext_ops.save_begin
 * @ep: the port
 * @extack: unused
 *
 * Return: 0
 */
int acl_save_begin(struct vmq_ext_port *ep, struct netlink_ext_ack *extack)
{
	struct acl_port *acl = ep->priv;

	acl->save_pos = 0;
	acl->saved = 0;
	acl->save_asked = false;

	return 0;
}

/**
 * acl_save_next - see &vmq_ext_ops.save_next
 * @ep: the port
 * @rec: the record
 *
 * Asks once for the room that the rest of the connections wants, then takes
 * what it is given.
 *
 * Return: bytes, 0 at the end, or -EMSGSIZE
 */
int acl_save_next(struct vmq_ext_port *ep, struct vmq_record *rec)
{
	struct acl_port *acl = ep->priv;
	unsigned int left, n, want;
	struct vmq_acl_rec_hdr hdr = {
		.entry_size = cpu_to_le16(ACL_ENTRY),
	};

	if (!acl_save_fill(acl, NULL, 1))
		return 0;

	/* A guess: some may have expired, and new ones may have come. */
	left = READ_ONCE(acl->n_conns);
	left = left > acl->saved ? left - acl->saved : 1;
	want = ACL_HDR + min_t(unsigned int, left, ACL_PER_RECORD) * ACL_ENTRY;

	if (rec->size < ACL_HDR + ACL_ENTRY ||
	    (rec->size < want && !acl->save_asked)) {
		acl->save_asked = true;
		rec->needed = want;
		return -EMSGSIZE;
	}
	acl->save_asked = false;

	n = min_t(unsigned int, (rec->size - ACL_HDR) / ACL_ENTRY,
		  ACL_PER_RECORD);
	n = acl_save_fill(acl, rec->data + ACL_HDR, n);
	if (!n)
		return 0;

	acl->saved += n;
	hdr.count = cpu_to_le32(n);
	memcpy(rec->data, &hdr, sizeof(hdr));
	rec->class = uuid_null;
	rec->version = VMQ_ACL_REC_VERSION;
	/* Not optional: without them the guest's connections would be cut. */
	rec->flags = 0;

	return ACL_HDR + n * ACL_ENTRY;
}

/**
 * acl_save_complete - see &vmq_ext_ops.save_complete
 * @ep: the port
 * @ok: whether the save went well
 *
 * The connections stay: after a migration that failed the guest goes on here.
 */
void acl_save_complete(struct vmq_ext_port *ep, bool ok)
{
	struct acl_port *acl = ep->priv;

	acl->save_pos = 0;
}

/* ---- restore ---- */

/*
 * What one record did to the table. A connection belongs to the session, not
 * to the table, while it is pinned, see acl_conns_pin(); one that another took the
 * place of belongs to the session too, if it is pinned as @conn of its own step.
 */
struct acl_undo {
	struct list_head list;
	unsigned int n;
	struct {
		struct acl_conn *conn;
		struct acl_conn *old;
	} step[];
};

struct acl_session {
	struct list_head undo;		/* newest first */
	unsigned int extra;		/* connections that will be new */
};

static void acl_rec_key(const struct vmq_acl_rec_conn *rec, struct acl_key *key)
{
	memcpy(&key->local, rec->local, sizeof(key->local));
	memcpy(&key->remote, rec->remote, sizeof(key->remote));
	key->rest = acl_key_rest(le16_to_cpu(rec->local_port),
				 le16_to_cpu(rec->remote_port),
				 le16_to_cpu(rec->vlan),
				 rec->family == VMQ_ACL_REC_IPV6 ? AF_INET6 :
								   AF_INET,
				 rec->proto);
	if ((rec->proto == IPPROTO_ICMP || rec->proto == IPPROTO_ICMPV6) &&
	    rec->direction == VMQ_FROM_GUEST)
		key->rest |= ACL_KEY_ECHO_OUT;
}

/**
 * acl_restore_begin - see &vmq_ext_ops.restore_begin
 * @ep: the port
 * @extack: says why not
 *
 * Return: 0 or -ENOMEM
 */
int acl_restore_begin(struct vmq_ext_port *ep, struct netlink_ext_ack *extack)
{
	struct acl_session *session;

	session = kzalloc(sizeof(*session), GFP_KERNEL);
	if (!session) {
		NL_SET_ERR_MSG(extack, "acl: no memory for a restore");
		return -ENOMEM;
	}

	INIT_LIST_HEAD(&session->undo);
	ep->session = session;
	acl_conns_pin(ep->priv);

	return 0;
}

/**
 * acl_validate - see &vmq_ext_ops.validate
 * @ep: the port
 * @rec: the record
 * @extack: says what is wrong with it
 *
 * Return: 0, -EOPNOTSUPP, -EINVAL or -ENOSPC
 */
int acl_validate(struct vmq_ext_port *ep, const struct vmq_record *rec,
		 struct netlink_ext_ack *extack)
{
	struct acl_session *session = ep->session;
	struct acl_port *acl = ep->priv;
	bool empty = !READ_ONCE(acl->n_conns);
	struct vmq_acl_rec_conn entry;
	struct acl_key key;
	const char *wrong;
	unsigned int i, max;

	if (rec->version != VMQ_ACL_REC_VERSION || !uuid_is_null(&rec->class)) {
		NL_SET_ERR_MSG(extack, "acl: a record is of an unknown version or class");
		return -EOPNOTSUPP;
	}

	wrong = acl_rec_check(rec->data, rec->size);
	for (i = 0; !wrong && i < acl_rec_count(rec->data); i++) {
		acl_rec_get(rec->data, i, &entry);
		wrong = acl_rec_conn_check(&entry);
		if (wrong)
			break;

		if (empty) {
			session->extra++;
			continue;
		}
		/* What only takes the place of another needs no room. */
		acl_rec_key(&entry, &key);
		rcu_read_lock();
		if (!acl_conn_find(acl, &key))
			session->extra++;
		rcu_read_unlock();
	}
	if (wrong) {
		NL_SET_ERR_MSG_FMT(extack, "%s", wrong);
		return -EINVAL;
	}

	max = READ_ONCE(acl->max_conns);
	if ((u64)READ_ONCE(acl->n_conns) + session->extra > max) {
		NL_SET_ERR_MSG_FMT(extack,
				   "acl: more connections than max-connections, %u",
				   max);
		return -ENOSPC;
	}

	return 0;
}

static struct acl_conn *acl_conn_from_rec(const struct acl_port *acl,
					  const struct vmq_acl_rec_conn *rec)
{
	struct acl_conn *conn;
	u32 timeout;

	conn = kzalloc(sizeof(*conn), GFP_KERNEL_ACCOUNT);
	if (!conn)
		return NULL;

	timeout = min_t(u32, le32_to_cpu(rec->timeout_ms),
			acl_conn_timeout(rec->proto, rec->state) * 1000);

	spin_lock_init(&conn->lock);
	acl_rec_key(rec, &conn->key);
	conn->state = rec->state;
	conn->dir = rec->direction;
	conn->fins = le16_to_cpu(rec->flags);
	conn->restored = true;
	conn->pin = acl->pin;
	conn->expires = (u32)jiffies + msecs_to_jiffies(timeout);
	acl_conn_packets_set(conn, VMQ_TO_GUEST, le64_to_cpu(rec->packets_in));
	acl_conn_packets_set(conn, VMQ_FROM_GUEST,
			     le64_to_cpu(rec->packets_out));

	return conn;
}

/* Makes up to @n connections from the @first of a record on; those that it made. */
static unsigned int acl_batch_make(struct acl_port *acl, const void *data,
				   unsigned int first, unsigned int n,
				   struct acl_conn **conn, int *err)
{
	struct vmq_acl_rec_conn entry;
	unsigned int i;

	for (i = 0; i < n; i++) {
		acl_rec_get(data, first + i, &entry);
		/* Cheap, and a table is no place for what was not validated. */
		*err = acl_rec_conn_check(&entry) ? -EINVAL : 0;
		if (*err)
			break;
		conn[i] = acl_conn_from_rec(acl, &entry);
		if (!conn[i]) {
			*err = -ENOMEM;
			break;
		}
		acl_conn_expect(acl, &conn[i]->key);
	}

	return i;
}

/* Puts connections into the table; -ENOMEM, or how many found no room. */
static int acl_batch_insert(struct acl_port *acl, struct acl_undo *undo,
			    struct acl_conn **conn, unsigned int n)
{
	unsigned int i, over = 0;
	int err = 0;

	spin_lock_bh(&acl->lock);
	rcu_read_lock();
	for (i = 0; i < n; i++) {
		err = err == -ENOMEM ? err :
		      acl_conn_insert(acl, conn[i], &undo->step[undo->n].old);
		if (!err) {
			undo->step[undo->n++].conn = conn[i];
			continue;
		}
		kfree(conn[i]);
		/* Frames were quicker; no reason to give up (SR-37). */
		if (err == -ENOSPC)
			over++;
		else
			err = -ENOMEM;
	}
	rcu_read_unlock();
	spin_unlock_bh(&acl->lock);

	return err == -ENOMEM ? err : over;
}

/**
 * acl_apply - see &vmq_ext_ops.apply
 * @ep: the port
 * @rec: the record
 * @extack: says why not
 *
 * Return: 0, -EINVAL or -ENOMEM
 */
int acl_apply(struct vmq_ext_port *ep, const struct vmq_record *rec,
	      struct netlink_ext_ack *extack)
{
	struct acl_session *session = ep->session;
	struct acl_conn *conn[ACL_APPLY_BATCH];
	struct acl_port *acl = ep->priv;
	unsigned int i, n, count, over = 0;
	struct acl_undo *undo;
	int err = 0, ret;

	if (acl_rec_check(rec->data, rec->size))
		return -EINVAL;

	if (list_empty(&session->undo) && session->extra >= ACL_APPLY_MANY)
		acl_conns_reserve(acl, session->extra);

	count = acl_rec_count(rec->data);
	undo = kvzalloc(struct_size(undo, step, count), GFP_KERNEL);
	if (!undo)
		goto no_memory;
	list_add(&undo->list, &session->undo);

	for (i = 0; !err && i < count; i += n) {
		n = acl_batch_make(acl, rec->data, i,
				   min_t(unsigned int, count - i,
					 ACL_APPLY_BATCH), conn, &err);
		ret = acl_batch_insert(acl, undo, conn, n);
		if (ret < 0)
			err = ret;
		else
			over += ret;
		/* The hash table grows beside this, on one CPU in between. */
		cond_resched();
	}
	if (err == -ENOMEM)
		goto no_memory;

	if (over)
		NL_SET_ERR_MSG_FMT(extack, "acl: no room for %u connections",
				   over);
	return err;

no_memory:
	NL_SET_ERR_MSG(extack, "acl: no memory for connections");
	return -ENOMEM;
}

/* Ends the session; newest step first, as a step may have replaced another's. */
static void acl_session_end(struct vmq_ext_port *ep, bool keep)
{
	struct acl_session *session = ep->session;
	struct acl_port *acl = ep->priv;
	struct acl_undo *undo, *tmp;
	bool kept = keep && acl_conns_unpin(acl, false);

	list_for_each_entry_safe(undo, tmp, &session->undo, list) {
		while (!kept && undo->n--) {
			struct acl_conn *conn = undo->step[undo->n].conn;
			struct acl_conn *old = undo->step[undo->n].old;
			bool keep_conn = false, keep_old = false;

			/* A pinned one is freed in its own step. */
			if (old && acl_conn_pinned(acl, old))
				keep_old = true;
			if (keep)
				keep_conn = acl_conn_keep(acl, conn);
			else if (acl_conn_put_back(acl, conn, old))
				keep_old = true;

			if (old && !keep_old)
				kfree_rcu(old, rcu);
			if (!keep_conn)
				kfree_rcu(conn, rcu);
		}
		list_del(&undo->list);
		kvfree(undo);
		cond_resched();
	}
	if (!kept)
		acl_conns_unpin(acl, true);
}

/**
 * acl_rollback - see &vmq_ext_ops.rollback
 * @ep: the port
 *
 * Connections that frames made since then stay: they are not of the restore.
 */
void acl_rollback(struct vmq_ext_port *ep)
{
	acl_session_end(ep, false);
}

/**
 * acl_restore_complete - see &vmq_ext_ops.restore_complete
 * @ep: the port
 * @ok: whether the restore went well
 */
void acl_restore_complete(struct vmq_ext_port *ep, bool ok)
{
	acl_session_end(ep, ok);
	kfree(ep->session);
	ep->session = NULL;
}
