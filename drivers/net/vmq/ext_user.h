/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Extensions that are processes: netlink_ext_user.c carries what ext_user.c asks.
 */
#ifndef _VMQ_EXT_USER_H
#define _VMQ_EXT_USER_H

#include <linux/mutex.h>
#include <linux/timer.h>

#include "vmq_priv.h"

#define VMQ_EXT_USER_MAX	16	/* of one adapter */
#define VMQ_EXT_USER_TIMEOUT	5000	/* ms, where the process does not say */
#define VMQ_EXT_USER_CHUNK	16384	/* bytes of a record that are read at once */
#define VMQ_EXT_USER_TEXT	65	/* bytes of a message, with its NUL */

struct vmq_ext_user_port;

/**
 * struct vmq_ext_user - one process, an extension of one adapter
 * @ops: what the core knows of it
 * @name: its name
 * @feature: feature class of its records
 * @timeout: that it has for its answers, in jiffies
 * @adapter: the adapter
 * @owner: its socket
 * @owned: in the owner's list
 * @send: sends the request of a port to the process
 * @lost: it is dead, or does not read what it is sent
 */
struct vmq_ext_user {
	struct vmq_ext_ops ops;
	char name[VMQ_EXT_NAME_MAX];
	uuid_t feature;
	unsigned long timeout;
	struct vmq_adapter *adapter;
	struct vmq_owner *owner;
	struct list_head owned;
	int (*send)(const struct vmq_ext_user_port *p, enum vmq_ext_user_op op,
		    bool ok);
	bool lost;
};

enum vmq_ext_user_state {
	VMQ_EXT_USER_IDLE,
	VMQ_EXT_USER_ASKED,
	VMQ_EXT_USER_ANSWERED,
	VMQ_EXT_USER_SILENT,		/* till the end of the session */
};

/**
 * struct vmq_ext_user_answer - what a process answered
 * @error: 0, or a negative errno
 * @optional: readers may skip the record
 * @size: bytes at @data
 * @data: the record, of kvmalloc(); NULL where there is none
 * @text: why, where there is an error
 */
struct vmq_ext_user_answer {
	int error;
	bool optional;
	u32 size;
	void *data;
	char text[VMQ_EXT_USER_TEXT];
};

/**
 * struct vmq_ext_user_port - a process and one port
 * @user: the process
 * @ep: the port
 * @timer: wakes the session when the time is over
 * @lock: protects all that follows; innermost
 * @state: of the request
 * @session: number of the save or restore
 * @request: number of the request, 0 for none
 * @told: the process knows of the session, so it is told of its end
 * @applying: records are being applied
 * @saved: it gave a record in this session
 * @asked: when the request was sent, in jiffies
 * @left: jiffies that it had then
 * @record: the record that a request is about; its data is the session's
 * @answer: to the request
 */
struct vmq_ext_user_port {
	struct vmq_ext_user *user;
	struct vmq_ext_port *ep;
	struct timer_list timer;
	struct mutex lock;	/* protects all that follows */
	enum vmq_ext_user_state state;
	u32 session;
	u32 request;
	bool told;
	bool applying;
	bool saved;
	unsigned long asked;
	unsigned long left;
	struct vmq_record record;
	struct vmq_ext_user_answer answer;
};

void vmq_ext_user_ops(struct vmq_ext_user *u);
int vmq_ext_user_answer(struct vmq_ext_user_port *p, u32 request,
			struct vmq_ext_user_answer *answer);
int vmq_ext_user_read(struct vmq_ext_user_port *p, u32 request, u32 offset,
		      struct sk_buff *msg);
int vmq_ext_user_add(struct vmq_ext_user *u, struct netlink_ext_ack *extack);
void vmq_ext_user_remove(struct vmq_ext_user *u, bool tell);

#endif /* _VMQ_EXT_USER_H */
