// SPDX-License-Identifier: GPL-2.0
/*
 * The extension acl: one connection, its state and its timeout.
 *
 * Sequence numbers are not looked at: what belongs to a connection is decided
 * by addresses and ports, so that a connection survives frames that went past
 * the extension, as on the data path of a VF or on the way to another host.
 */
#include "acl.h"

#define ACL_FINS	VMQ_ACL_REC_FLAGS

/**
 * acl_conn_timeout - Tell how long a connection lives without a frame.
 * @proto: its protocol
 * @state: its state, of &enum vmq_acl_state
 *
 * Return: seconds.
 */
unsigned int acl_conn_timeout(u8 proto, u8 state)
{
	static const u16 tcp[VMQ_ACL_STATES] = {
		[VMQ_ACL_NEW] = ACL_TIMEOUT_SYN,
		[VMQ_ACL_SYN_ACK] = ACL_TIMEOUT_SYN,
		[VMQ_ACL_ESTABLISHED] = ACL_TIMEOUT_ESTABLISHED,
		[VMQ_ACL_FIN_WAIT] = ACL_TIMEOUT_CLOSING,
		[VMQ_ACL_CLOSING] = ACL_TIMEOUT_CLOSING,
		[VMQ_ACL_CLOSED] = ACL_TIMEOUT_CLOSED,
	};

	if (proto == IPPROTO_TCP)
		return tcp[state];
	if (proto == IPPROTO_UDP)
		return state == VMQ_ACL_REPLIED ? ACL_TIMEOUT_UDP_REPLIED :
						  ACL_TIMEOUT_UDP;

	return ACL_TIMEOUT_ICMP;
}

/**
 * acl_conn_deadline - Tell when a connection ends without another frame.
 * @conn: the connection
 * @state: its state
 *
 * Return: low bits of jiffies.
 */
u32 acl_conn_deadline(const struct acl_conn *conn, u8 state)
{
	return (u32)jiffies + acl_conn_timeout(acl_key_proto(&conn->key), state) * HZ;
}

/**
 * acl_conn_packets - Tell how many frames of a connection there were.
 * @conn: the connection
 * @dir: their direction
 *
 * Return: their number; may be 2^32 too low for the instant of a carry.
 */
u64 acl_conn_packets(const struct acl_conn *conn, enum vmq_dir dir)
{
	u32 high, low;

	do {
		high = atomic_read(&conn->packets_high[dir]);
		smp_rmb();	/* the carry comes after the low half */
		low = atomic_read(&conn->packets[dir]);
		smp_rmb();	/* and is seen if it came meanwhile */
	} while (high != atomic_read(&conn->packets_high[dir]));

	return (u64)high << 32 | low;
}

/**
 * acl_conn_packets_set - Set the number of frames of a connection.
 * @conn: the connection
 * @dir: their direction
 * @n: their number
 */
void acl_conn_packets_set(struct acl_conn *conn, enum vmq_dir dir, u64 n)
{
	atomic_set(&conn->packets_high[dir], n >> 32);
	atomic_set(&conn->packets[dir], n);
}

static void acl_conn_count(struct acl_conn *conn, u8 dir)
{
	if (unlikely(atomic_inc_and_test(&conn->packets[dir])))
		atomic_inc(&conn->packets_high[dir]);
}

/* Not for every frame: the cache line is shared with other CPUs. */
static void acl_conn_refresh(struct acl_conn *conn, u8 state)
{
	u32 expires = acl_conn_deadline(conn, state);

	if ((s32)(expires - READ_ONCE(conn->expires)) > HZ)
		WRITE_ONCE(conn->expires, expires);
}

/*
 * The state of a connection after a frame. A connection that was picked up in
 * the middle starts like a handshake: it gets the long timeout only after both
 * sides were heard, so that nobody fills the table alone.
 */
static u8 acl_conn_next(u8 state, u8 dir, u8 *fins, const struct acl_flow *flow)
{
	bool reply = flow->dir != dir;

	if (flow->ip.proto != IPPROTO_TCP)
		return reply ? VMQ_ACL_REPLIED : state;

	if ((flow->tcp & ACL_TCP_RST) || state == VMQ_ACL_CLOSED)
		return VMQ_ACL_CLOSED;

	if (flow->tcp & ACL_TCP_FIN)
		*fins |= flow->dir == VMQ_TO_GUEST ? VMQ_ACL_REC_FIN_IN :
						     VMQ_ACL_REC_FIN_OUT;
	if (*fins)
		return *fins == ACL_FINS ? VMQ_ACL_CLOSING : VMQ_ACL_FIN_WAIT;

	if (flow->tcp & ACL_TCP_ACK) {
		if (state == VMQ_ACL_NEW && reply)
			return VMQ_ACL_SYN_ACK;
		if (state == VMQ_ACL_SYN_ACK && !reply)
			return VMQ_ACL_ESTABLISHED;
	}

	return state;
}

/**
 * acl_conn_follow - Let a frame follow a connection.
 * @conn: the connection
 * @flow: the frame, %ACL_FLOW_TRACKED
 *
 * Context: BH disabled, inside an RCU read-side section.
 * Return: false if the frame does not belong to the connection, as that is over
 * or the frame starts anew what was being closed.
 */
bool acl_conn_follow(struct acl_conn *conn, const struct acl_flow *flow)
{
	u8 state = READ_ONCE(conn->state);
	u8 fins = READ_ONCE(conn->fins);
	u8 old_fins = fins, next;

	if (acl_conn_expired(conn))
		return false;
	if (state >= VMQ_ACL_FIN_WAIT &&
	    (flow->tcp & (ACL_TCP_SYN | ACL_TCP_ACK)) == ACL_TCP_SYN)
		return false;

	next = acl_conn_next(state, READ_ONCE(conn->dir), &fins, flow);
	if (unlikely(next != state || fins != old_fins)) {
		spin_lock(&conn->lock);
		fins = conn->fins;
		next = acl_conn_next(conn->state, conn->dir, &fins, flow);
		WRITE_ONCE(conn->fins, fins);
		if (next != conn->state) {
			WRITE_ONCE(conn->state, next);
			WRITE_ONCE(conn->expires, acl_conn_deadline(conn, next));
		}
		spin_unlock(&conn->lock);
	} else if (state != VMQ_ACL_CLOSED) {
		acl_conn_refresh(conn, state);
	}

	acl_conn_count(conn, flow->dir);

	return true;
}

/**
 * acl_conn_reset - Let a connection begin.
 * @conn: the connection; the caller owns it or holds its lock
 * @flow: its first frame
 */
void acl_conn_reset(struct acl_conn *conn, const struct acl_flow *flow)
{
	WRITE_ONCE(conn->restored, false);
	WRITE_ONCE(conn->dir, flow->dir);
	WRITE_ONCE(conn->fins, 0);
	WRITE_ONCE(conn->state, VMQ_ACL_NEW);
	WRITE_ONCE(conn->expires, acl_conn_deadline(conn, VMQ_ACL_NEW));
	acl_conn_packets_set(conn, VMQ_TO_GUEST, flow->dir == VMQ_TO_GUEST);
	acl_conn_packets_set(conn, VMQ_FROM_GUEST, flow->dir == VMQ_FROM_GUEST);
}

/**
 * acl_conn_restart - Make a new connection of one that is over.
 * @conn: the connection
 * @flow: its first frame, which the rules allowed
 *
 * Context: BH disabled, inside an RCU read-side section.
 * Return: false if the connection was just taken out of the table.
 */
bool acl_conn_restart(struct acl_conn *conn, const struct acl_flow *flow)
{
	bool done = false;

	spin_lock(&conn->lock);
	if (!conn->dead) {
		acl_conn_reset(conn, flow);
		done = true;
	}
	spin_unlock(&conn->lock);

	return done;
}
