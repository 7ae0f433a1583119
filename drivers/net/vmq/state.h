/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Save and restore of a port: what its parts share.
 *
 *   netlink.c -> state.c        sessions and their end; rtnl
 *     state_fsm.c               their states; pure
 *     state_file.c -> state.c   the descriptor; never takes rtnl
 *     state_commit.c -> state.c the end of a restore; rtnl
 *       state_save.c, state_restore.c, state_party.c  who is asked, in which order;
 *                               know no port
 *         state_core.c          the port itself, as if it were an extension; its
 *                               filters are in state_filter.c
 *           state_tlv.c         its record, state_tlv_rss.c an item of it; pure
 *         stream.c              the stream; pure
 *
 * A session is held by its file and, until the next one begins, by its port.
 * session->io serializes the users of the descriptor and is never taken where
 * rtnl is held, so that a reader whose memory is slow to come (a page fault may
 * take as long as it likes) keeps nobody waiting but itself. session->lock is
 * taken inside of it, and inside of rtnl by whoever ends a session from outside.
 * While it is held and session->port is set, the port and everything that
 * takes part in the session stay.
 *
 * An extension that has no answer yet (-EINPROGRESS) is waited for with neither
 * rtnl nor session->lock held: it may be a process that needs them to answer.
 */
#ifndef _VMQ_STATE_H
#define _VMQ_STATE_H

#include <linux/ktime.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/netlink.h>
#include <linux/wait.h>

#include "state_tlv.h"
#include "stream.h"
#include "policy.h"

/* Room that an extension is first offered for a record, without the header. */
#define VMQ_SAVE_ROOM		4096
/* How often one record may ask for more room (SR-08) before it is an error. */
#define VMQ_SAVE_REISSUES	8

/* ---- state_party.c: one that takes part ---- */

/* Why it failed, for people; as long as an extack message can be. */
struct vmq_reason {
	char text[NETLINK_MAX_FMTMSG_LEN];
};

__printf(2, 3)
void vmq_reason_set(struct vmq_reason *reason, const char *fmt, ...);

/**
 * struct vmq_waiter - whoever waits for an extension's answer
 * @kicks: how often an extension said that it has one
 * @wait: where it waits
 */
struct vmq_waiter {
	atomic_t kicks;
	wait_queue_head_t wait;
};

/**
 * struct vmq_party - one that takes part in a session, the port itself included
 * @ep: the extension on the port; NULL where it is gone
 * @uuid: whose records it would own, where it is gone
 * @type: of its records, of &enum vmq_record_type
 * @begun: it saw a begin that succeeded, so it is owed a complete (SR-19)
 * @applied: how many parties applied something before it did, plus 1; 0 while
 *	it did not
 * @saved: it saved a record, and perhaps not all
 */
struct vmq_party {
	struct vmq_ext_port *ep;
	uuid_t uuid;
	u16 type;
	bool begun;
	bool saved;
	unsigned int applied;
};

void vmq_party_reason(struct vmq_reason *reason, const struct vmq_party *p,
		      const char *doing, const struct netlink_ext_ack *extack,
		      int err);
void vmq_party_finish(struct vmq_party *p, bool writing, bool ok);
void vmq_party_leave(struct vmq_party *p, bool writing);

static inline const char *vmq_party_name(const struct vmq_party *p)
{
	return p->ep->ops->name;
}

/*
 * Extensions are not trusted to return what they should. Only some callbacks may
 * ask to be called again later.
 */
static inline int vmq_party_answer(int err)
{
	return err > 0 ? -EIO : err;
}

static inline int vmq_party_error(int err)
{
	return err == -EINPROGRESS ? -EIO : vmq_party_answer(err);
}

/* ---- state_save.c: the save loop ---- */

enum vmq_save_step {
	VMQ_SAVE_HEADER,
	VMQ_SAVE_RECORDS,
	VMQ_SAVE_END,
	VMQ_SAVE_DONE,
};

/**
 * struct vmq_save - one save
 * @party: who is asked, in this order (SR-14)
 * @n: parties
 * @max: most bytes of a stream
 * @step: what comes next
 * @next: party that is asked next
 * @w: state of the stream
 * @buf: the part of the stream made last, one record at most
 * @size: room at @buf
 * @len: bytes at @buf
 */
struct vmq_save {
	struct vmq_party *party;
	unsigned int n;
	size_t max;
	enum vmq_save_step step;
	unsigned int next;
	struct vmq_stream_writer w;
	u8 *buf;
	size_t size;
	size_t len;
};

int vmq_save_start(struct vmq_save *sv, struct netlink_ext_ack *extack);
int vmq_save_part(struct vmq_save *sv, struct vmq_reason *reason);
void vmq_save_finish(struct vmq_save *sv, bool ok);

/* ---- state_restore.c: the restore ---- */

/**
 * struct vmq_restore - one restore
 * @party: who may own records
 * @n: parties
 * @max: most bytes of a stream
 * @parser: progress through the stream
 * @buf: the stream
 * @size: room at @buf
 * @len: bytes at @buf
 * @begun: the parties were told
 * @validated: all records were looked at, and are good
 * @pos: where the record is that is validated or applied next
 * @index: records before it
 * @records: in the stream
 * @unclaimed: records that nobody takes (SR-35)
 * @applied: parties that applied something
 */
struct vmq_restore {
	struct vmq_party *party;
	unsigned int n;
	size_t max;
	struct vmq_stream_parser parser;
	u8 *buf;
	size_t size;
	size_t len;
	bool begun;
	bool validated;
	size_t pos;
	u32 index;
	u32 records;
	u32 unclaimed;
	unsigned int applied;
};

typedef void (*vmq_unclaimed_fn)(void *ctx, const struct vmq_stream_view *view);

int vmq_restore_reserve(struct vmq_restore *rs, size_t more,
			struct vmq_reason *reason);
int vmq_restore_feed(struct vmq_restore *rs, size_t added,
		     struct vmq_reason *reason);
int vmq_restore_validate(struct vmq_restore *rs, struct vmq_reason *reason);
int vmq_restore_apply(struct vmq_restore *rs, struct vmq_reason *reason);
void vmq_restore_unclaimed(struct vmq_restore *rs, vmq_unclaimed_fn fn,
			   void *ctx);
void vmq_restore_rollback(struct vmq_restore *rs);
void vmq_restore_finish(struct vmq_restore *rs, bool ok);

/* ---- state_fsm.c: the states of a port's migration ---- */

/* What happens to a port's migration state. */
enum vmq_migration_event {
	VMQ_MEV_SAVE_BEGIN,
	VMQ_MEV_RESTORE_BEGIN,
	VMQ_MEV_SAVED,		/* the last byte of the stream was read */
	VMQ_MEV_VALIDATED,	/* the last byte of a good stream was written */
	VMQ_MEV_FAILED,		/* a read or write failed for good */
	VMQ_MEV_COMMIT,
	VMQ_MEV_ABORT,
	VMQ_MEV_CLOSE,		/* of the descriptor */
	VMQ_MEV_COUNT
};

#define VMQ_MIGRATION_STATES	(VMQ_MIGRATION_STATE_VALIDATED + 1)

int vmq_migration_next(enum vmq_migration_state state,
		       enum vmq_migration_event event);

/* ---- state.c: sessions ---- */

/**
 * struct vmq_session - one save or restore of one port
 * @ref: the file's and the port's
 * @io: one read or write at a time; the part of a save that is not read yet
 * @pos: bytes of the save's last part that were read; under @io
 * @waiter: pollers, and who waits for an extension's answer
 * @lock: protects all that follows
 * @port: the port; NULL once the session ended
 * @writing: it is a restore
 * @committing: somebody is about to apply the stream, and ends the session
 * @pending: the save waits for an answer, and
 * @kicks: for the first kick after this one
 * @error: what the descriptor answers: once the session ended, 0 if it was a
 *	save that ended well; before, that of the write that failed
 * @reason: text of @error
 * @begin: when it began
 * @save: where it is a save
 * @restore: where it is a restore
 * @core: stands for the port itself
 * @gate: stands for its gate
 * @n: parties
 * @party: the port itself, its gate, and the extensions, top of the stack first
 */
struct vmq_session {
	struct kref ref;
	struct mutex io;	/* serializes read and write */
	size_t pos;
	struct vmq_waiter waiter;

	struct mutex lock;	/* protects all that follows */
	struct vmq_port *port;
	bool writing;
	bool committing;
	bool pending;
	int kicks;
	int error;
	struct vmq_reason reason;
	ktime_t begin;
	union {
		struct vmq_save save;
		struct vmq_restore restore;
	};
	struct vmq_ext_port core;
	struct vmq_ext_port gate;
	unsigned int n;
	struct vmq_party party[] __counted_by(n);
};

int vmq_session_begin(struct vmq_port *port, bool restore, struct file **filp,
		      struct netlink_ext_ack *extack);
void vmq_session_put(struct vmq_session *s);
int vmq_session_wait(struct vmq_session *s, int kicks);
void vmq_session_wait_for(struct vmq_session *s, int kicks, const bool *gone);
void vmq_session_kick(struct vmq_session *s);
void vmq_session_end(struct vmq_session *s, enum vmq_migration_event event);
void vmq_session_end_early(struct vmq_session *s, int error, const char *why,
			   enum vmq_migration_event event);
void vmq_session_saved(struct vmq_session *s);
int vmq_session_validate(struct vmq_session *s);
void vmq_session_failed(struct vmq_session *s, int error);
void vmq_session_closed(struct vmq_session *s);

/* ---- state_commit.c: the end of a restore ---- */

int vmq_commit_begin(struct vmq_port *port, struct vmq_session **sp,
		     struct netlink_ext_ack *extack);
int vmq_commit_next(struct vmq_session *s, int *kicks,
		    struct netlink_ext_ack *extack);
void vmq_commit_cancel(struct vmq_session *s);

/* ---- state_file.c: the descriptor ---- */

struct file *vmq_session_file(struct vmq_session *s);

/* ---- state_core.c: the port itself, its record is in state_tlv.h ---- */

/* The port as a party: its priv is the port. */
extern const struct vmq_ext_ops vmq_core_ops;
/* Its gate, shut before any extension hears of a save; in gate_state.c. */
extern const struct vmq_ext_ops vmq_gate_party;

/* ---- state_filter.c: its filters ---- */

/* Those that a restore set. */
struct vmq_core_filter_undo {
	u32 *location;
	u32 n;
};

int vmq_core_filter_save(struct vmq_port *port, struct vmq_core_state *st,
			 struct netlink_ext_ack *extack);
int vmq_core_filter_taken(struct vmq_port *port,
			  const struct vmq_core_filter *f,
			  struct netlink_ext_ack *extack);
int vmq_core_filter_apply(struct vmq_port *port,
			  const struct vmq_core_state *st,
			  struct vmq_core_filter_undo *undo,
			  struct netlink_ext_ack *extack);
void vmq_core_filter_undo(struct vmq_port *port,
			  struct vmq_core_filter_undo *undo);

/* ---- state_rss.c: how its flows are spread ---- */

int vmq_core_rss_save(struct vmq_port *port, struct vmq_core_rss **out);
int vmq_core_rss_apply(struct vmq_port *port, const struct vmq_core_rss *rss,
		       struct netlink_ext_ack *extack);

/* ---- state_queue.c: what is set of its queues ---- */

struct vmq_core_queue_past;

/* How the queues were. */
struct vmq_core_queue_undo {
	struct vmq_core_queue_past *past;
	u32 n;
	unsigned int tx_queue_len;
};

int vmq_core_queue_save(struct vmq_port *port, struct vmq_core_state *st,
			struct netlink_ext_ack *extack);
int vmq_core_queue_remember(struct vmq_port *port,
			    struct vmq_core_queue_undo *undo);
int vmq_core_queue_apply(struct vmq_port *port, const struct vmq_core_state *st,
			 struct netlink_ext_ack *extack);
int vmq_core_queue_undo(struct vmq_port *port,
			const struct vmq_core_queue_undo *undo);
void vmq_core_queue_undo_free(struct vmq_core_queue_undo *undo);

#endif /* _VMQ_STATE_H */
