/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Virtual machine queues: the interface between the switch and its extensions.
 *
 * An extension is a module that sees the frames of ports and may own run-time
 * data of a port, such as connections. The core asks it for that data when the
 * port is saved and hands the data back when the port is restored, usually on
 * another host (groups X and SR of the specification).
 */
#ifndef _NET_VMQ_H
#define _NET_VMQ_H

#include <linux/netdevice.h>
#include <linux/netlink.h>
#include <linux/skbuff.h>
#include <linux/uuid.h>
#include <uapi/linux/vmq.h>

/**
 * VMQ_EXT_API_VERSION - version of this interface
 *
 * Counts up whenever a member of &struct vmq_ext_ops changes its meaning, and
 * with each function added: 2 has vmq_ext_resume(), 3 has vmq_ext_continue() and
 * answers that come later, 4 asks about NICs and properties of ports, 5 has
 * vmq_ext_hold_path(), 6 has vmq_ext_inject() and vmq_ext_limit_mtu().
 */
#define VMQ_EXT_API_VERSION	6

/**
 * VMQ_EXT_NAME_MAX - longest name of an extension, in bytes with the final NUL
 */
#define VMQ_EXT_NAME_MAX	16

/**
 * VMQ_RECORD_MAX - largest stored record, in bytes with its header (O-33)
 */
#define VMQ_RECORD_MAX		65536

/**
 * VMQ_RECORD_HDR - size of a record's header in the stream, in bytes
 */
#define VMQ_RECORD_HDR		48

/**
 * VMQ_RECORD_DATA_MAX - most data that fits one record, in bytes
 */
#define VMQ_RECORD_DATA_MAX	(VMQ_RECORD_MAX - VMQ_RECORD_HDR)

/**
 * enum vmq_dir - direction of a frame, as the port's guest sees it
 * @VMQ_TO_GUEST: the guest receives the frame (egress of the switch)
 * @VMQ_FROM_GUEST: the guest sent the frame (ingress of the switch)
 */
enum vmq_dir {
	VMQ_TO_GUEST,
	VMQ_FROM_GUEST,
};

/**
 * enum vmq_verdict - what becomes of a frame
 * @VMQ_PASS: the next extension sees it, at last the switch or the port
 * @VMQ_DROP: the core frees and counts it
 * @VMQ_CONSUMED: the extension took it and will free it, or hand it back with
 *	vmq_ext_resume()
 */
enum vmq_verdict {
	VMQ_PASS,
	VMQ_DROP,
	VMQ_CONSUMED,
};

/**
 * enum vmq_source - in whose name an extension sends a frame
 * @VMQ_SOURCE_EXT: its own: trusted, no port has a part in it
 * @VMQ_SOURCE_PORT: the guest's
 */
enum vmq_source {
	VMQ_SOURCE_EXT,
	VMQ_SOURCE_PORT,
};

/**
 * enum vmq_record_flags - flags of a record
 * @VMQ_RECORD_OPTIONAL: a reader that does not know the record's type or data
 *	version may skip it
 */
enum vmq_record_flags {
	VMQ_RECORD_OPTIONAL = BIT(0),
};

struct vmq_ext_ops;
struct vmq_waiter;

/**
 * struct vmq_ext_port - one extension on one port
 * @dev: netdev of the port
 * @ops: the extension
 * @priv: for the extension; set by its attach, freed by its detach
 * @session: for the extension, while a save or restore of the port runs; at
 *	most one runs at a time (SR-22, SR-26)
 * @waiter: for the core, see vmq_ext_continue()
 * @nic: for the core: the extension granted the NIC of the port
 * @hold: for the core, see vmq_ext_hold_path()
 * @mtu: for the core, see vmq_ext_limit_mtu()
 *
 * Lives from a successful attach until detach returned.
 */
struct vmq_ext_port {
	struct net_device *dev;
	const struct vmq_ext_ops *ops;
	void *priv;
	void *session;
	struct vmq_waiter *waiter;
	bool nic;
	bool hold;
	unsigned int mtu;
};

/**
 * enum vmq_property_kind - whose a property of a port is
 * @VMQ_PROPERTY_PORT: the switch's
 * @VMQ_PROPERTY_EXT: an extension's configuration
 */
enum vmq_property_kind {
	VMQ_PROPERTY_PORT,
	VMQ_PROPERTY_EXT,
};

/**
 * struct vmq_property - a property of a port that is about to be set
 * @kind: of &enum vmq_property_kind
 * @type: %VMQ_A_PORT_UUID and so on where it is the switch's, else 0
 * @ext: the extension where it is one's, else NULL
 * @value: what it shall be: the attribute of port-set, or config of ext-port-set
 */
struct vmq_property {
	enum vmq_property_kind kind;
	u16 type;
	const struct vmq_ext_ops *ext;
	const struct nlattr *value;
};

/**
 * struct vmq_record - one record of run-time data
 * @class: feature class, a subtype of the extension's own; all zero if none
 * @version: version of the data
 * @flags: of &enum vmq_record_flags
 * @size: room at @data when saving, length of @data when restoring, in bytes,
 *	0 to %VMQ_RECORD_DATA_MAX
 * @needed: answer to a save that needs more room, in bytes
 * @data: the data; no pointer, ifindex, port id or queue id of this host may be
 *	in it, nor anything that depends on its byte order (SR-34, SR-38)
 */
struct vmq_record {
	uuid_t class;
	u16 version;
	u16 flags;
	u32 size;
	u32 needed;
	void *data;
};

/**
 * struct vmq_ext_ops - an extension
 * @owner: module of the extension, pinned while it is enabled on an adapter;
 *	NULL for one that is built in
 * @uuid: identity, the owner of its records (X-51, SR-30)
 * @name: name for people, unique, at most %VMQ_EXT_NAME_MAX with its NUL
 * @class: place in the stack
 * @data_version: newest version of its data that the extension reads; the
 *	version that it writes is set record by record
 *
 * @attach: A port comes under the extension: set @priv. Sleeps, rtnl held.
 *	May refuse, with a message in extack. A new port is made all the same
 *	where a capturing extension refuses, without that extension.
 * @detach: The port goes; no frame is in the hook any more. Sleeps, rtnl held.
 * @nic_create: A NIC comes on the port (its MAC address and MTU are those of dev),
 *	after the attach of all extensions and before the first frame. May refuse
 *	as attach does, and lower the MTU with vmq_ext_limit_mtu(). Sleeps, rtnl
 *	held.
 * @nic_delete: The NIC goes, or another extension refused it. Comes before detach,
 *	and only after a nic_create that succeeded. Sleeps, rtnl held.
 * @property_set: The administrator is about to set a property of the port; its
 *	value was checked. May refuse, with a message in extack. Sleeps, rtnl
 *	held.
 * @property_undo: A property that this extension granted is not set, as another
 *	refused one of the request or it failed; the last one granted comes first.
 *	Sleeps, rtnl held.
 * @frame: A frame of the port, %VMQ_FROM_GUEST in ingress order and
 *	%VMQ_TO_GUEST in reverse. skb->data is at the network header, the
 *	MAC header is set and linear, a VLAN tag is in the metadata, the data may
 *	be shared. A capturing extension's %VMQ_DROP counts as %VMQ_PASS.
 *	Called with BH disabled inside an RCU read-side section; must
 *	not sleep. NULL: the extension does not look at frames.
 * @config_set: Changes the configuration of one port by the nested attributes
 *	in config; all of it or nothing. Sleeps, rtnl held.
 * @config_dump: Adds attributes that describe one port to msg, from *cursor on
 *	(0 at first), whole items only, and moves *cursor. Returns 0 when all
 *	was given, -EMSGSIZE when the rest needs another message, or an error.
 *	Sleeps, rtnl held.
 *
 * The callbacks below are called one at a time for each port; sessions of
 * different ports overlap (SR-22 to SR-26). They may sleep, and unless it is said
 * they must not take rtnl: whoever holds it may be waiting for them. Whatever
 * happens, every successful begin is followed by exactly one complete.
 *
 * @save_next, @validate and @apply may answer -EINPROGRESS, where they would have
 * to wait (SR-17, SR-39). They are called again with the same record, at any time
 * and at the latest after vmq_ext_continue(). No lock is held meanwhile, so that a
 * session may end before there is an answer: its complete is called then, and
 * @rollback where something was applied before.
 *
 * @save_begin: A save starts; the extension puts its position at the start.
 *	NULL, and @save_next too: the extension has no run-time data. Sleeps,
 *	rtnl held.
 * @save_next: Fills one record: data, version, and where wanted class and flags.
 *	Returns the bytes used, 0 when there is nothing more, or -EMSGSIZE with
 *	rec->needed set when the room is too small: it is called again with that
 *	much (SR-05 to SR-12). Any other error ends the save of the port (O-34).
 *	Frames and changes of the configuration go on meanwhile.
 * @save_complete: The save ended, well or not. Where well, the reader has the
 *	whole stream.
 *
 * @restore_begin: A stream arrived. NULL: nothing to prepare. Called whether
 *	there are records of the extension in it or not, so that one without
 *	records can be told from none.
 * @validate: Checks one record and changes nothing that frames or users see. All
 *	records of the stream are checked before the first is applied.
 * @apply: Applies one record that was validated. Fails only if the port cannot
 *	work without the data (SR-37), and leaves no trace of the record then.
 *	Sleeps, rtnl held.
 * @rollback: Undoes all records applied in this session, as another record
 *	failed (SR-36); not called where none was applied. Sleeps, rtnl held.
 * @restore_complete: The restore ended, well or not.
 *
 * @validate, @apply and @rollback come together or not at all; an extension
 * without them owns no records.
 */
struct vmq_ext_ops {
	struct module *owner;
	uuid_t uuid;
	const char *name;
	enum vmq_ext_class class;
	u16 data_version;

	int (*attach)(struct vmq_ext_port *ep, struct netlink_ext_ack *extack);
	void (*detach)(struct vmq_ext_port *ep);
	int (*nic_create)(struct vmq_ext_port *ep,
			  struct netlink_ext_ack *extack);
	void (*nic_delete)(struct vmq_ext_port *ep);
	int (*property_set)(struct vmq_ext_port *ep,
			    const struct vmq_property *prop,
			    struct netlink_ext_ack *extack);
	void (*property_undo)(struct vmq_ext_port *ep,
			      const struct vmq_property *prop);
	enum vmq_verdict (*frame)(struct vmq_ext_port *ep, struct sk_buff *skb,
				  enum vmq_dir dir);
	int (*config_set)(struct vmq_ext_port *ep, const struct nlattr *config,
			  struct netlink_ext_ack *extack);
	int (*config_dump)(struct vmq_ext_port *ep, struct sk_buff *msg,
			   unsigned long *cursor);

	int (*save_begin)(struct vmq_ext_port *ep,
			  struct netlink_ext_ack *extack);
	int (*save_next)(struct vmq_ext_port *ep, struct vmq_record *rec);
	void (*save_complete)(struct vmq_ext_port *ep, bool ok);

	int (*restore_begin)(struct vmq_ext_port *ep,
			     struct netlink_ext_ack *extack);
	int (*validate)(struct vmq_ext_port *ep, const struct vmq_record *rec,
			struct netlink_ext_ack *extack);
	int (*apply)(struct vmq_ext_port *ep, const struct vmq_record *rec,
		     struct netlink_ext_ack *extack);
	void (*rollback)(struct vmq_ext_port *ep);
	void (*restore_complete)(struct vmq_ext_port *ep, bool ok);
};

int vmq_ext_register(const struct vmq_ext_ops *ops);
void vmq_ext_unregister(const struct vmq_ext_ops *ops);
void vmq_ext_continue(struct vmq_ext_port *ep);
void vmq_ext_resume(struct vmq_ext_port *ep, struct sk_buff *skb,
		    enum vmq_verdict verdict);
int vmq_ext_hold_path(struct vmq_ext_port *ep, bool hold);
int vmq_ext_limit_mtu(struct vmq_ext_port *ep, unsigned int mtu);
int vmq_ext_inject(struct vmq_ext_port *ep, struct sk_buff *skb,
		   enum vmq_source source);

#endif /* _NET_VMQ_H */
