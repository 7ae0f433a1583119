// SPDX-License-Identifier: GPL-2.0
/*
 * One that takes part in a save or restore: what it says and how it leaves.
 */
#include "state.h"

/**
 * vmq_reason_set() - remembers why something failed
 * @reason: the text, cut off where it is too long
 * @fmt: a sentence fragment, without a newline
 *
 * Context: Any.
 */
void vmq_reason_set(struct vmq_reason *reason, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vscnprintf(reason->text, sizeof(reason->text), fmt, args);
	va_end(args);
}

/**
 * vmq_party_reason() - remembers what a party said, or at least that it was the one
 * @reason: the text
 * @p: the party
 * @doing: what it did, where it said nothing
 * @extack: what it said, or NULL
 * @err: its error
 *
 * Context: Any.
 */
void vmq_party_reason(struct vmq_reason *reason, const struct vmq_party *p,
		      const char *doing, const struct netlink_ext_ack *extack,
		      int err)
{
	if (extack && extack->_msg)
		vmq_reason_set(reason, "%s: %s", vmq_party_name(p),
			       extack->_msg);
	else
		vmq_reason_set(reason, "%s %s (error %d)", vmq_party_name(p),
			       doing, err);
}

static void vmq_party_complete(struct vmq_party *p, bool ok,
			       void (*complete)(struct vmq_ext_port *ep, bool ok))
{
	p->begun = false;
	if (complete)
		complete(p->ep, ok);
	p->ep->session = NULL;
}

/**
 * vmq_party_finish() - tells a party that the session is over, if it saw its begin
 * @p: the party
 * @writing: the session is a restore
 * @ok: it ended well
 *
 * Context: Process context, sleeps.
 */
void vmq_party_finish(struct vmq_party *p, bool writing, bool ok)
{
	if (p->begun)
		vmq_party_complete(p, ok,
				   writing ? p->ep->ops->restore_complete :
					     p->ep->ops->save_complete);
}

/**
 * vmq_party_leave() - a party goes in the middle of a session
 * @p: the party
 * @writing: the session is a restore
 *
 * What it would have saved is not there; where it saved a part, the save is over.
 * Records that it would have owned and that are not optional are refused.
 *
 * Context: Process context, sleeps.
 */
void vmq_party_leave(struct vmq_party *p, bool writing)
{
	vmq_party_finish(p, writing, false);
	uuid_copy(&p->uuid, &p->ep->ops->uuid);
	p->ep = NULL;
}
