// SPDX-License-Identifier: GPL-2.0
/*
 * An example of an extension of vmq: counts the frames of each port, and takes
 * the counts along when the port moves to another host. See extensions.rst.
 */
#include <linux/atomic.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <net/netlink.h>
#include <net/vmq.h>

#define EXAMPLE_VERSION		1

/* What is saved: little endian, no padding, nothing of this host's. */
struct example_wire {
	__le64 frames[2];		/* by enum vmq_dir */
};

/* Attributes of the answer to ext-port-get. */
enum {
	EXAMPLE_A_UNSPEC,
	EXAMPLE_A_TO_GUEST,
	EXAMPLE_A_FROM_GUEST,
	EXAMPLE_A_PAD,
};

struct example_port {
	atomic64_t frames[2];		/* by enum vmq_dir */
	bool saved;			/* the record of this save was given */
	u64 added[2];			/* what this restore added so far */
};

/* ---- life of a port, and its frames ---- */

static int example_attach(struct vmq_ext_port *ep,
			  struct netlink_ext_ack *extack)
{
	struct example_port *ex;

	ex = kzalloc(sizeof(*ex), GFP_KERNEL);
	if (!ex)
		return -ENOMEM;
	ep->priv = ex;
	return 0;
}

static void example_detach(struct vmq_ext_port *ep)
{
	kfree(ep->priv);
}

/* Runs on any CPU, on several at once, and must not sleep. */
static enum vmq_verdict example_frame(struct vmq_ext_port *ep,
				      struct sk_buff *skb, enum vmq_dir dir)
{
	struct example_port *ex = ep->priv;

	atomic64_inc(&ex->frames[dir]);
	return VMQ_PASS;
}

static int example_config_dump(struct vmq_ext_port *ep, struct sk_buff *msg,
			       unsigned long *cursor)
{
	struct example_port *ex = ep->priv;
	int dir;

	for (; *cursor < 2; (*cursor)++) {
		dir = *cursor;
		if (nla_put_u64_64bit(msg, EXAMPLE_A_TO_GUEST + dir,
				      atomic64_read(&ex->frames[dir]),
				      EXAMPLE_A_PAD))
			return -EMSGSIZE;
	}
	return 0;
}

/* ---- save ---- */

static int example_save_begin(struct vmq_ext_port *ep,
			      struct netlink_ext_ack *extack)
{
	struct example_port *ex = ep->priv;

	ex->saved = false;
	return 0;
}

static int example_save_next(struct vmq_ext_port *ep, struct vmq_record *rec)
{
	struct example_port *ex = ep->priv;
	struct example_wire wire;
	int dir;

	if (ex->saved)
		return 0;		/* nothing more */
	if (rec->size < sizeof(wire)) {
		rec->needed = sizeof(wire);
		return -EMSGSIZE;	/* asked again with that much room */
	}
	for (dir = 0; dir < 2; dir++)
		wire.frames[dir] = cpu_to_le64(atomic64_read(&ex->frames[dir]));
	memcpy(rec->data, &wire, sizeof(wire));
	rec->version = EXAMPLE_VERSION;
	/* a reader that only knows older versions may do without */
	rec->flags = VMQ_RECORD_OPTIONAL;
	ex->saved = true;
	return sizeof(wire);
}

/* ---- restore ---- */

static int example_restore_begin(struct vmq_ext_port *ep,
				 struct netlink_ext_ack *extack)
{
	struct example_port *ex = ep->priv;

	memset(ex->added, 0, sizeof(ex->added));
	return 0;
}

/* The record may have been written by anybody: believe nothing. */
static int example_validate(struct vmq_ext_port *ep,
			    const struct vmq_record *rec,
			    struct netlink_ext_ack *extack)
{
	struct example_wire wire;
	int dir;

	if (rec->version != EXAMPLE_VERSION || !uuid_is_null(&rec->class)) {
		NL_SET_ERR_MSG(extack, "record of an unknown version or class");
		return -EOPNOTSUPP;
	}
	if (rec->size != sizeof(wire)) {
		NL_SET_ERR_MSG(extack, "record of wrong length");
		return -EINVAL;
	}
	memcpy(&wire, rec->data, sizeof(wire));
	for (dir = 0; dir < 2; dir++) {
		if (le64_to_cpu(wire.frames[dir]) <= S64_MAX)
			continue;
		NL_SET_ERR_MSG(extack, "impossible count");
		return -EINVAL;
	}
	return 0;
}

/* Raises the counts: a restore on the same host counts nothing twice. */
static int example_apply(struct vmq_ext_port *ep, const struct vmq_record *rec,
			 struct netlink_ext_ack *extack)
{
	struct example_port *ex = ep->priv;
	struct example_wire wire;
	s64 more;
	int dir;

	memcpy(&wire, rec->data, sizeof(wire));
	for (dir = 0; dir < 2; dir++) {
		more = le64_to_cpu(wire.frames[dir]) -
		       atomic64_read(&ex->frames[dir]);
		if (more <= 0)
			continue;
		atomic64_add(more, &ex->frames[dir]);
		ex->added[dir] += more;
	}
	return 0;
}

static void example_rollback(struct vmq_ext_port *ep)
{
	struct example_port *ex = ep->priv;
	int dir;

	for (dir = 0; dir < 2; dir++)
		atomic64_sub(ex->added[dir], &ex->frames[dir]);
}

static const struct vmq_ext_ops example_ops = {
	.owner = THIS_MODULE,
	/* make your own: uuidgen */
	.uuid = UUID_INIT(0x2e8f4a51, 0x6b0d, 0x4c7e,
			  0x9a, 0x35, 0xd1, 0x74, 0x0c, 0xe2, 0x58, 0xb9),
	.name = "example",
	.class = VMQ_EXT_CLASS_CAPTURE,
	.data_version = EXAMPLE_VERSION,
	.attach = example_attach,
	.detach = example_detach,
	.frame = example_frame,
	.config_dump = example_config_dump,
	.save_begin = example_save_begin,
	.save_next = example_save_next,
	.restore_begin = example_restore_begin,
	.validate = example_validate,
	.apply = example_apply,
	.rollback = example_rollback,
};

static int __init example_init(void)
{
	return vmq_ext_register(&example_ops);
}
module_init(example_init);

static void __exit example_exit(void)
{
	vmq_ext_unregister(&example_ops);
}
module_exit(example_exit);

MODULE_DESCRIPTION("Example of an extension of vmq");
MODULE_LICENSE("GPL");
