/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What suites need that drive the real thing: an adapter without an uplink, and
 * netlink sockets that ask it for something, as a program does.
 */
#ifndef _VMQ_ADAPTER_FIXTURE_H
#define _VMQ_ADAPTER_FIXTURE_H

#include <kunit/test.h>
#include <linux/net.h>

#include "../netlink.h"

#define FIXTURE_QUEUES		VMQ_DEFAULT_QUEUES

/* A netlink socket; what it allocates is its own. */
struct fixture_client {
	struct socket *sock;
	struct file *file;
	u32 ifindex;			/* of the adapter that it speaks of */
	u8 answer[4096];		/* the last one, struct nlmsghdr first */
};

struct vmq_adapter *fixture_adapter(struct kunit *test);
struct vmq_port *fixture_port(struct kunit *test, struct vmq_adapter *a,
			      bool up);
struct fixture_client *fixture_client(struct kunit *test,
				      const struct vmq_adapter *a);
void fixture_close(struct fixture_client *c);

/* A request is begun, gets its attributes, and is asked, which frees it. */
struct sk_buff *fixture_request(struct kunit *test,
				const struct fixture_client *c, u8 cmd);
int fixture_ask(struct kunit *test, struct fixture_client *c,
		struct sk_buff *msg);
int fixture_ask_dump(struct kunit *test, struct fixture_client *c,
		     struct sk_buff *msg, u32 *count);
const struct nlattr *fixture_answer(const struct fixture_client *c, int type);
u32 fixture_answer_u32(const struct fixture_client *c, int type);

/* Events of the family; the first that waits is kept as an answer is. */
void fixture_listen(struct kunit *test, struct fixture_client *c);
bool fixture_event(struct kunit *test, struct fixture_client *c, u8 cmd);

/* What programs ask for most. */
int fixture_queue_new(struct kunit *test, struct fixture_client *c, u32 *id);
int fixture_queue_do(struct kunit *test, struct fixture_client *c, u8 cmd,
		     u32 id);
int fixture_complete(struct kunit *test, struct fixture_client *c, u32 id);
int fixture_filter_new(struct kunit *test, struct fixture_client *c, u32 queue,
		       const u8 *mac, u32 *id);
int fixture_filter_do(struct kunit *test, struct fixture_client *c, u8 cmd,
		      u32 id);

/* A frame as the uplink hands it on: data at the network header. */
struct sk_buff *fixture_frame(struct kunit *test, const struct vmq_adapter *a,
			      const u8 *mac);

#endif /* _VMQ_ADAPTER_FIXTURE_H */
