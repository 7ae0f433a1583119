// SPDX-License-Identifier: GPL-2.0
/*
 * Generic netlink: restore-commit.
 *
 * Where an extension has no answer yet, the commit has to wait for it, maybe for
 * minutes. It must not do so within the request: generic netlink holds a lock of its
 * own meanwhile, and as soon as any module registers a family, all requests of the
 * host would wait behind that, the extension's answer among them. So the request
 * ends without an answer, and a work item sends it later. To its sender this is the
 * same; one that closes its socket instead of waiting gets the commit undone.
 */
#include <linux/netlink.h>
#include <linux/workqueue.h>
#include <net/genetlink.h>
#include <net/sock.h>

#include "netlink.h"
#include "state.h"

/**
 * struct vmq_nl_commit - a commit that waits
 * @work: waits, and answers
 * @node: in vmq_nl_commits
 * @s: the session
 * @kicks: of the session, see vmq_session_wait()
 * @gone: nobody waits for the answer
 * @request: the request, held for its acknowledgment
 * @nlh: in it
 * @sk: who sent it, held
 * @msg: the answer, begun
 * @hdr: in it
 */
struct vmq_nl_commit {
	struct work_struct work;
	struct list_head node;
	struct vmq_session *s;
	int kicks;
	bool gone;
	struct sk_buff *request;
	struct nlmsghdr *nlh;
	struct sock *sk;
	struct sk_buff *msg;
	void *hdr;
};

static struct workqueue_struct *vmq_nl_commit_wq;
static LIST_HEAD(vmq_nl_commits);
static DEFINE_SPINLOCK(vmq_nl_commits_lock);

static void vmq_nl_commit_answer(struct vmq_nl_commit *c, int err,
				 const struct netlink_ext_ack *extack)
{
	u32 portid = NETLINK_CB(c->request).portid;

	if (READ_ONCE(c->gone)) {
		nlmsg_free(c->msg);
		return;
	}
	if (err) {
		nlmsg_free(c->msg);
	} else {
		genlmsg_end(c->msg, c->hdr);
		err = genlmsg_unicast(sock_net(c->sk), c->msg, portid);
	}
	if (err || c->nlh->nlmsg_flags & NLM_F_ACK)
		netlink_ack(c->request, c->nlh, err, extack);
}

static void vmq_nl_commit_free(struct vmq_nl_commit *c)
{
	vmq_session_put(c->s);
	consume_skb(c->request);
	sock_put(c->sk);
	kfree(c);
}

static void vmq_nl_commit_work(struct work_struct *work)
{
	struct vmq_nl_commit *c = container_of(work, struct vmq_nl_commit, work);
	struct netlink_ext_ack extack = {};
	struct vmq_port *port;
	int err;

	do {
		vmq_session_wait_for(c->s, c->kicks, &c->gone);
		rtnl_lock();
		/* over once it ends; it is ours as long as it does not */
		port = c->s->port;
		if (READ_ONCE(c->gone))
			vmq_commit_cancel(c->s);
		err = vmq_commit_next(c->s, &c->kicks, &extack);
		/* it was there when the commit succeeded, just now */
		if (!err)
			err = vmq_fill_port(c->msg, port);
		rtnl_unlock();
	} while (err == -EINPROGRESS);

	spin_lock(&vmq_nl_commits_lock);
	list_del(&c->node);
	spin_unlock(&vmq_nl_commits_lock);
	vmq_nl_commit_answer(c, err, &extack);
	vmq_nl_commit_free(c);
}

static struct vmq_nl_commit *vmq_nl_commit_new(struct sk_buff *skb,
					       const struct genl_info *info)
{
	struct vmq_nl_commit *c = kzalloc(sizeof(*c), GFP_KERNEL_ACCOUNT);

	if (!c)
		return NULL;
	INIT_WORK(&c->work, vmq_nl_commit_work);
	c->nlh = (struct nlmsghdr *)info->nlhdr;
	c->request = skb_get(skb);
	c->sk = NETLINK_CB(skb).sk;
	sock_hold(c->sk);
	return c;
}

/**
 * vmq_nl_restore_commit_doit() - restore-commit
 * @skb: the request
 * @info: the request, parsed
 *
 * Context: Process context.
 * Return: 0; -EINTR, for which netlink sends no answer, where a work item will; or
 * another negative errno, with a message in extack.
 */
int vmq_nl_restore_commit_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vmq_session *s = NULL;
	struct vmq_nl_commit *c;
	struct vmq_port *port;
	struct sk_buff *msg;
	int err, kicks;
	void *hdr;

	msg = vmq_nl_reply_start(info, &hdr);
	if (!msg)
		return -ENOMEM;
	rtnl_lock();
	port = vmq_nl_port_admin(skb, info);
	err = IS_ERR(port) ? PTR_ERR(port) :
			     vmq_commit_begin(port, &s, info->extack);
	if (!err)
		err = vmq_commit_next(s, &kicks, info->extack);
	if (err == -EINPROGRESS) {
		c = vmq_nl_commit_new(skb, info);
		if (c) {
			c->s = s;
			c->kicks = kicks;
			c->msg = msg;
			c->hdr = hdr;
			spin_lock(&vmq_nl_commits_lock);
			list_add_tail(&c->node, &vmq_nl_commits);
			spin_unlock(&vmq_nl_commits_lock);
			queue_work(vmq_nl_commit_wq, &c->work);
			rtnl_unlock();
			return -EINTR;
		}
		vmq_commit_cancel(s);
		err = -ENOMEM;
	}
	/* it was there when the commit succeeded, just now */
	if (!err)
		err = vmq_fill_port(msg, port);
	rtnl_unlock();
	if (s)
		vmq_session_put(s);
	return vmq_nl_reply_end(info, msg, hdr, err);
}

/* Undoes what nobody waits for any more. */
static int vmq_nl_commit_event(struct notifier_block *nb, unsigned long event,
			       void *ptr)
{
	const struct netlink_notify *n = ptr;
	struct vmq_nl_commit *c;

	if (event != NETLINK_URELEASE || n->protocol != NETLINK_GENERIC)
		return NOTIFY_DONE;
	spin_lock(&vmq_nl_commits_lock);
	list_for_each_entry(c, &vmq_nl_commits, node) {
		if (NETLINK_CB(c->request).portid != n->portid ||
		    !net_eq(sock_net(c->sk), n->net) ||
		    !sock_flag(c->sk, SOCK_DEAD))
			continue;
		WRITE_ONCE(c->gone, true);
		vmq_session_kick(c->s);
	}
	spin_unlock(&vmq_nl_commits_lock);
	return NOTIFY_OK;
}

static struct notifier_block vmq_nl_commit_notifier = {
	.notifier_call = vmq_nl_commit_event,
};

/**
 * vmq_nl_commit_init() - makes commits able to wait
 *
 * Context: Module init.
 * Return: 0 or a negative errno.
 */
int __init vmq_nl_commit_init(void)
{
	int err;

	/* each waits by itself, for as long as its extension takes */
	vmq_nl_commit_wq = alloc_workqueue("vmq_commit", WQ_UNBOUND,
					   WQ_MAX_ACTIVE);
	if (!vmq_nl_commit_wq)
		return -ENOMEM;
	err = netlink_register_notifier(&vmq_nl_commit_notifier);
	if (err)
		destroy_workqueue(vmq_nl_commit_wq);
	return err;
}

/**
 * vmq_nl_commit_exit() - waits for the last commit
 *
 * Context: Module exit, no port left and the family gone.
 */
void vmq_nl_commit_exit(void)
{
	netlink_unregister_notifier(&vmq_nl_commit_notifier);
	destroy_workqueue(vmq_nl_commit_wq);
}
