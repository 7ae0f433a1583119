// SPDX-License-Identifier: GPL-2.0
/*
 * An adapter for suites, made as ip link does, and requests over netlink, sent as
 * programs send them.
 */
#include <linux/etherdevice.h>
#include <linux/file.h>
#include <linux/if_vlan.h>
#include <net/sock.h>

#include "adapter_fixture.h"

/* ---- an adapter ---- */

static void fixture_adapter_del(void *data)
{
	struct net_device *dev = data;
	LIST_HEAD(list);

	rtnl_lock();
	vmq_adapter_link_ops.dellink(dev, &list);
	unregister_netdevice_many(&list);
	rtnl_unlock();
}

static int fixture_newlink(struct net_device *dev, struct nlattr **tb)
{
	const struct rtnl_link_ops *ops = dev->rtnl_link_ops;
#ifdef VMQ_HAVE_NEWLINK_PARAMS
	struct rtnl_newlink_params params = { .src_net = &init_net, .tb = tb };

	return ops->newlink(dev, &params, NULL);
#else
	return ops->newlink(&init_net, dev, tb, NULL, NULL);
#endif
}

/* rtnl held */
static int fixture_link(const struct rtnl_link_ops *ops, const char *name,
			struct nlattr **tb, struct net_device **dev)
{
	int err;

	*dev = rtnl_create_link(&init_net, name, NET_NAME_ENUM, ops, tb, NULL);
	if (IS_ERR(*dev))
		return PTR_ERR(*dev);
	/* nothing is sent and counted but what the test sends */
	(*dev)->priv_flags |= IFF_NO_ADDRCONF;
	err = fixture_newlink(*dev, tb);
	if (err) {
		free_netdev(*dev);
		return err;
	}
	return rtnl_configure_link(*dev, NULL, 0, NULL);
}

/**
 * fixture_adapter() - makes an adapter, up, with FIXTURE_QUEUES queues
 * @test: it goes with it
 *
 * Context: Process context.
 * Return: the adapter.
 */
struct vmq_adapter *fixture_adapter(struct kunit *test)
{
	struct nlattr **tb;
	struct net_device *dev;
	int err;

	tb = kunit_kcalloc(test, IFLA_MAX + 1, sizeof(*tb), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, tb);
	rtnl_lock();
	err = fixture_link(&vmq_adapter_link_ops, "vmqtest%d", tb, &dev) ?:
	      dev_open(dev, NULL);
	rtnl_unlock();
	KUNIT_ASSERT_EQ(test, err, 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test,
							fixture_adapter_del,
							dev), 0);
	return vmq_adapter_priv(dev);
}

/**
 * fixture_port() - makes a port
 * @test: the test
 * @a: of fixture_adapter(); the port goes with it
 * @up: bring it up
 *
 * Context: Process context.
 * Return: the port.
 */
struct vmq_port *fixture_port(struct kunit *test, struct vmq_adapter *a,
			      bool up)
{
	struct {
		struct nlattr attr;
		u32 ifindex;
	} *link;
	struct nlattr **tb;
	struct net_device *dev;
	int err;

	tb = kunit_kcalloc(test, IFLA_MAX + 1, sizeof(*tb), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, tb);
	link = kunit_kzalloc(test, sizeof(*link), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, link);
	link->attr.nla_len = sizeof(*link);
	link->attr.nla_type = IFLA_LINK;
	link->ifindex = a->dev->ifindex;
	tb[IFLA_LINK] = &link->attr;
	rtnl_lock();
	err = fixture_link(&vmq_port_link_ops, "vmqtestp%d", tb, &dev) ?:
	      (up ? dev_open(dev, NULL) : 0);
	rtnl_unlock();
	KUNIT_ASSERT_EQ(test, err, 0);
	return vmq_port_priv(dev);
}

/* ---- requests ---- */

static void fixture_client_free(void *data)
{
	fixture_close(data);
}

/**
 * fixture_client() - opens a netlink socket
 * @test: it is closed with it, if it is not before
 * @a: the adapter that it speaks of
 *
 * Context: Process context.
 * Return: the socket.
 */
struct fixture_client *fixture_client(struct kunit *test,
				      const struct vmq_adapter *a)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK };
	struct fixture_client *c;

	c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, c);
	c->ifindex = a->dev->ifindex;
	KUNIT_ASSERT_EQ(test, sock_create_kern(&init_net, AF_NETLINK, SOCK_RAW,
					       NETLINK_GENERIC, &c->sock), 0);
	/* whose rights count is who opened the file; it takes the socket */
	c->file = sock_alloc_file(c->sock, 0, NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(c->file));
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test,
							fixture_client_free,
							c), 0);
	KUNIT_ASSERT_EQ(test, kernel_bind(c->sock, (void *)&addr,
					  sizeof(addr)), 0);
	return c;
}

/**
 * fixture_close() - closes a netlink socket
 * @c: the socket, closed or not
 *
 * Context: Process context.
 */
void fixture_close(struct fixture_client *c)
{
	if (c->file)
		__fput_sync(c->file);
	c->file = NULL;
}

/**
 * fixture_request() - begins a request that names the adapter
 * @test: the test
 * @c: who will ask
 * @cmd: operation
 *
 * Context: Process context.
 * Return: the message, for fixture_ask() or fixture_ask_dump().
 */
struct sk_buff *fixture_request(struct kunit *test,
				const struct fixture_client *c, u8 cmd)
{
	struct sk_buff *msg = nlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, msg);
	KUNIT_ASSERT_NOT_NULL(test, genlmsg_put(msg, 0, 1, &vmq_nl_family,
						NLM_F_REQUEST, cmd));
	KUNIT_ASSERT_EQ(test, nla_put_u32(msg, VMQ_A_ADAPTER_IFINDEX,
					  c->ifindex), 0);
	return msg;
}

static void fixture_send(struct kunit *test, struct fixture_client *c,
			 struct sk_buff *msg, u16 flags)
{
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	struct msghdr hdr = {};
	struct kvec vec;
	int len;

	nlh->nlmsg_flags |= flags;
	nlh->nlmsg_len = msg->len;
	vec.iov_base = msg->data;
	vec.iov_len = msg->len;
	memset(c->answer, 0, sizeof(c->answer));
	len = kernel_sendmsg(c->sock, &hdr, &vec, 1, vec.iov_len);
	nlmsg_free(msg);
	KUNIT_ASSERT_GT(test, len, 0);
}

static int fixture_receive(struct kunit *test, struct fixture_client *c,
			   u8 *room, size_t size)
{
	struct kvec vec = { .iov_base = room, .iov_len = size };
	struct msghdr hdr = {};
	int len;

	len = kernel_recvmsg(c->sock, &hdr, &vec, 1, size, MSG_DONTWAIT);
	KUNIT_ASSERT_GT(test, len, 0);
	KUNIT_ASSERT_FALSE(test, hdr.msg_flags & MSG_TRUNC);
	return len;
}

/* All messages of the answer, the first data one kept; count says how many. */
static int fixture_finish(struct kunit *test, struct fixture_client *c,
			  u32 *count)
{
	u8 *room = kunit_kmalloc(test, SZ_64K, GFP_KERNEL);
	struct nlmsghdr *nlh;
	int left;

	KUNIT_ASSERT_NOT_NULL(test, room);
	for (*count = 0;;) {
		left = fixture_receive(test, c, room, SZ_64K);
		nlmsg_for_each_msg(nlh, (struct nlmsghdr *)room, left, left) {
			if (nlh->nlmsg_type == NLMSG_ERROR ||
			    nlh->nlmsg_type == NLMSG_DONE)
				return *(int *)nlmsg_data(nlh);
			if (!(*count)++ && nlh->nlmsg_len <= sizeof(c->answer))
				memcpy(c->answer, nlh, nlh->nlmsg_len);
		}
	}
}

/**
 * fixture_ask() - sends a request
 * @test: the test
 * @c: who asks; the answer is kept there
 * @msg: the request, freed
 *
 * Context: Process context.
 * Return: 0 or a negative errno, that of the kernel.
 */
int fixture_ask(struct kunit *test, struct fixture_client *c,
		struct sk_buff *msg)
{
	u32 count;

	fixture_send(test, c, msg, NLM_F_ACK);
	return fixture_finish(test, c, &count);
}

/**
 * fixture_ask_dump() - asks for a list
 * @test: the test
 * @c: who asks; its first object is kept there
 * @msg: the request, freed
 * @count: set to the number of objects
 *
 * Context: Process context.
 * Return: 0 or a negative errno, that of the kernel.
 */
int fixture_ask_dump(struct kunit *test, struct fixture_client *c,
		     struct sk_buff *msg, u32 *count)
{
	fixture_send(test, c, msg, NLM_F_DUMP);
	return fixture_finish(test, c, count);
}

/**
 * fixture_answer() - an attribute of the last answer
 * @c: who asked
 * @type: which
 *
 * Context: Any.
 * Return: the attribute, or NULL.
 */
const struct nlattr *fixture_answer(const struct fixture_client *c, int type)
{
	const struct nlmsghdr *nlh = (const void *)c->answer;

	if (nlh->nlmsg_len < NLMSG_HDRLEN + GENL_HDRLEN)
		return NULL;
	return nlmsg_find_attr(nlh, GENL_HDRLEN, type);
}

/**
 * fixture_answer_u32() - a number of the last answer
 * @c: who asked
 * @type: which attribute
 *
 * Context: Any.
 * Return: the number, or U32_MAX if it is not there.
 */
u32 fixture_answer_u32(const struct fixture_client *c, int type)
{
	const struct nlattr *attr = fixture_answer(c, type);

	return attr ? nla_get_u32(attr) : U32_MAX;
}

/* ---- events ---- */

/**
 * fixture_listen() - has a netlink socket receive the events of the family
 * @test: the test
 * @c: the socket, which asks for nothing any more
 *
 * Context: Process context.
 */
void fixture_listen(struct kunit *test, struct fixture_client *c)
{
	int group = vmq_nl_family.mcgrp_offset + VMQ_NLGRP_EVENTS;

	KUNIT_ASSERT_EQ(test, c->sock->ops->setsockopt(c->sock, SOL_NETLINK,
						       NETLINK_ADD_MEMBERSHIP,
						       KERNEL_SOCKPTR(&group),
						       sizeof(group)), 0);
}

/**
 * fixture_event() - takes the next event of a kind
 * @test: the test
 * @c: who listens; the event is kept there
 * @cmd: the kind; events of others are thrown away
 *
 * Context: Process context.
 * Return: false if there was none.
 */
bool fixture_event(struct kunit *test, struct fixture_client *c, u8 cmd)
{
	const struct genlmsghdr *genl = nlmsg_data((void *)c->answer);
	struct kvec vec = { c->answer, sizeof(c->answer) };
	struct msghdr hdr = {};

	while (kernel_recvmsg(c->sock, &hdr, &vec, 1, sizeof(c->answer),
			      MSG_DONTWAIT) > 0) {
		KUNIT_ASSERT_FALSE(test, hdr.msg_flags & MSG_TRUNC);
		if (genl->cmd == cmd)
			return true;
	}
	return false;
}

/* ---- what programs ask for most ---- */

/**
 * fixture_queue_new() - queue-new
 * @test: the test
 * @c: who asks, the owner
 * @id: set to the id of the queue
 *
 * Context: Process context.
 * Return: 0 or a negative errno.
 */
int fixture_queue_new(struct kunit *test, struct fixture_client *c, u32 *id)
{
	int err;

	err = fixture_ask(test, c, fixture_request(test, c, VMQ_CMD_QUEUE_NEW));
	*id = fixture_answer_u32(c, VMQ_A_QUEUE_ID);
	return err;
}

/**
 * fixture_queue_do() - queue-get, queue-del, or queue-set of nothing
 * @test: the test
 * @c: who asks
 * @cmd: operation
 * @id: of the queue
 *
 * Context: Process context.
 * Return: 0 or a negative errno.
 */
int fixture_queue_do(struct kunit *test, struct fixture_client *c, u8 cmd,
		     u32 id)
{
	struct sk_buff *msg = fixture_request(test, c, cmd);

	KUNIT_ASSERT_EQ(test, nla_put_u32(msg, VMQ_A_QUEUE_ID, id), 0);
	return fixture_ask(test, c, msg);
}

/**
 * fixture_complete() - queue-complete of one queue
 * @test: the test
 * @c: who asks
 * @id: of the queue
 *
 * Context: Process context.
 * Return: the status of the queue, 0 or a negative errno.
 */
int fixture_complete(struct kunit *test, struct fixture_client *c, u32 id)
{
	struct sk_buff *msg = fixture_request(test, c, VMQ_CMD_QUEUE_COMPLETE);
	const struct nlattr *status, *error;

	KUNIT_ASSERT_EQ(test, nla_put_u32(msg, VMQ_A_QUEUE_IDS, id), 0);
	KUNIT_ASSERT_EQ(test, fixture_ask(test, c, msg), 0);
	status = fixture_answer(c, VMQ_A_QUEUE_STATUS);
	KUNIT_ASSERT_NOT_NULL(test, status);
	error = nla_find_nested(status, VMQ_A_STATUS_ERROR);
	KUNIT_ASSERT_NOT_NULL(test, error);
	return -(int)nla_get_u32(error);
}

/**
 * fixture_filter_new() - filter-new: untagged frames to a MAC address
 * @test: the test
 * @c: who asks, the owner
 * @queue: id of the queue
 * @mac: the address
 * @id: set to the id of the filter
 *
 * Context: Process context.
 * Return: 0 or a negative errno.
 */
int fixture_filter_new(struct kunit *test, struct fixture_client *c, u32 queue,
		       const u8 *mac, u32 *id)
{
	struct sk_buff *msg = fixture_request(test, c, VMQ_CMD_FILTER_NEW);
	int err;

	KUNIT_ASSERT_EQ(test, nla_put_u32(msg, VMQ_A_FILTER_QUEUE, queue), 0);
	KUNIT_ASSERT_EQ(test, nla_put(msg, VMQ_A_FILTER_MAC, ETH_ALEN, mac), 0);
	KUNIT_ASSERT_EQ(test, nla_put_flag(msg, VMQ_A_FILTER_UNTAGGED), 0);
	err = fixture_ask(test, c, msg);
	*id = fixture_answer_u32(c, VMQ_A_FILTER_ID);
	return err;
}

/**
 * fixture_filter_do() - filter-get, filter-del
 * @test: the test
 * @c: who asks
 * @cmd: operation
 * @id: of the filter
 *
 * Context: Process context.
 * Return: 0 or a negative errno.
 */
int fixture_filter_do(struct kunit *test, struct fixture_client *c, u8 cmd,
		      u32 id)
{
	struct sk_buff *msg = fixture_request(test, c, cmd);

	KUNIT_ASSERT_EQ(test, nla_put_u32(msg, VMQ_A_FILTER_ID, id), 0);
	return fixture_ask(test, c, msg);
}

/**
 * fixture_frame() - a frame for a MAC address
 * @test: the test
 * @a: the adapter that received it
 * @mac: the address
 *
 * Context: Process context.
 * Return: the frame, data at the network header.
 */
struct sk_buff *fixture_frame(struct kunit *test, const struct vmq_adapter *a,
			      const u8 *mac)
{
	struct sk_buff *skb = alloc_skb(NET_SKB_PAD + 64, GFP_KERNEL);
	struct ethhdr *eth;

	KUNIT_ASSERT_NOT_NULL(test, skb);
	skb_reserve(skb, NET_SKB_PAD);
	eth = skb_put_zero(skb, 60);
	ether_addr_copy(eth->h_dest, mac);
	eth->h_source[0] = 2;
	/* for local experiments: nobody on the host takes it */
	eth->h_proto = htons(ETH_P_802_EX1);
	skb->protocol = eth_type_trans(skb, a->dev);
	skb_reset_network_header(skb);
	return skb;
}
