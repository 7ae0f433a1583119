// SPDX-License-Identifier: GPL-2.0
/*
 * Extensions that are processes: what the core calls becomes a request, sent to the
 * process, and the call is repeated until there is an answer (-EINPROGRESS).
 *
 * The process may be dead, slow or hostile. It has a limited time for all its
 * answers to one save, to the validation of one stream, and to its application.
 * When that is over it is not asked again in this session: on save it has
 * nothing, unless it gave a part, which is an error as half an answer is none;
 * on restore its records are refused, unless they are optional.
 */
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <net/netlink.h>

#include "ext_user.h"

static atomic_t vmq_ext_user_number;	/* of the last request or session */

static void vmq_ext_user_reap(struct work_struct *work);
static DECLARE_WORK(vmq_ext_user_reap_work, vmq_ext_user_reap);

/* Never 0, which is none. */
static u32 vmq_ext_user_next(void)
{
	u32 number;

	do
		number = atomic_inc_return(&vmq_ext_user_number);
	while (!number);
	return number;
}

static void vmq_ext_user_expired(struct timer_list *timer)
{
	struct vmq_ext_user_port *p =
		container_of(timer, struct vmq_ext_user_port, timer);

	vmq_ext_continue(p->ep);
}

/* ---- one request; p->lock held ---- */

static void vmq_ext_user_forget(struct vmq_ext_user_port *p,
				enum vmq_ext_user_state state)
{
	lockdep_assert_held(&p->lock);
	timer_delete(&p->timer);
	kvfree(p->answer.data);
	memset(&p->answer, 0, sizeof(p->answer));
	memset(&p->record, 0, sizeof(p->record));
	p->request = 0;
	p->state = state;
}

/* A message that can't be delivered: the process does not know what goes on. */
static int vmq_ext_user_send(struct vmq_ext_user_port *p,
			     enum vmq_ext_user_op op, bool ok)
{
	struct vmq_ext_user *u = p->user;
	int err;

	if (READ_ONCE(u->lost))
		return -EPIPE;
	err = u->send(p, op, ok);
	if (err) {
		WRITE_ONCE(u->lost, true);
		schedule_work(&vmq_ext_user_reap_work);
	}
	return err;
}

/*
 * 0: there is an answer; -EINPROGRESS: there is none yet; -ETIMEDOUT: there will be
 * none.
 */
static int vmq_ext_user_ask(struct vmq_ext_user_port *p,
			    enum vmq_ext_user_op op,
			    const struct vmq_record *rec)
{
	lockdep_assert_held(&p->lock);
	switch (p->state) {
	case VMQ_EXT_USER_IDLE:
		p->request = vmq_ext_user_next();
		p->record = *rec;
		p->asked = jiffies;
		p->state = VMQ_EXT_USER_ASKED;
		if (vmq_ext_user_send(p, op, false))
			break;
		p->told = true;
		mod_timer(&p->timer, p->asked + p->left);
		return -EINPROGRESS;
	case VMQ_EXT_USER_ASKED:
		if (!READ_ONCE(p->user->lost) &&
		    time_before(jiffies, p->asked + p->left))
			return -EINPROGRESS;
		break;
	case VMQ_EXT_USER_ANSWERED:
		return 0;
	case VMQ_EXT_USER_SILENT:
		break;
	}
	vmq_ext_user_forget(p, VMQ_EXT_USER_SILENT);
	return -ETIMEDOUT;
}

/* A process must not pass for the core, which knows these as something else. */
static int vmq_ext_user_error(const struct vmq_ext_user_port *p)
{
	switch (p->answer.error) {
	case -EMSGSIZE:
	case -EINPROGRESS:
		return -EIO;
	}
	return p->answer.error;
}

/**
 * vmq_ext_user_answer() - a process answers a request
 * @p: the process and the port
 * @request: which request
 * @answer: the answer; its data is taken where 0 is returned
 *
 * Context: Process context; the port stays.
 * Return: 0, -ENOENT if there is no such request, or not any more, or -EINVAL for
 * data that was not asked for.
 */
int vmq_ext_user_answer(struct vmq_ext_user_port *p, u32 request,
			struct vmq_ext_user_answer *answer)
{
	unsigned long took;
	int err = -ENOENT;

	mutex_lock(&p->lock);
	if (p->state != VMQ_EXT_USER_ASKED || p->request != request)
		goto unlock;
	err = -EINVAL;
	/* who is asked about a record gives none */
	if (answer->size && p->record.data)
		goto unlock;
	err = 0;
	timer_delete(&p->timer);
	p->answer = *answer;
	p->state = VMQ_EXT_USER_ANSWERED;
	took = jiffies - p->asked;
	p->left -= min(p->left, took);
	/* under the lock: the session's end takes it before it goes */
	vmq_ext_continue(p->ep);
unlock:
	mutex_unlock(&p->lock);
	return err;
}

/**
 * vmq_ext_user_read() - a process reads the record that a request is about
 * @p: the process and the port
 * @request: which request
 * @offset: where to begin, in bytes
 * @msg: takes up to %VMQ_EXT_USER_CHUNK bytes
 *
 * Context: Process context; the port stays.
 * Return: 0, -ENOENT if there is no such request, or not any more, -ERANGE for an
 * offset behind its end, or -EMSGSIZE.
 */
int vmq_ext_user_read(struct vmq_ext_user_port *p, u32 request, u32 offset,
		      struct sk_buff *msg)
{
	int err = -ENOENT;

	mutex_lock(&p->lock);
	if (p->state != VMQ_EXT_USER_ASKED || p->request != request)
		goto unlock;
	err = -ERANGE;
	if (offset > p->record.size)
		goto unlock;
	err = nla_put(msg, VMQ_A_EXT_USER_DATA,
		      min_t(u32, p->record.size - offset, VMQ_EXT_USER_CHUNK),
		      p->record.data + offset);
unlock:
	mutex_unlock(&p->lock);
	return err;
}

/* ---- what the core calls ---- */

static struct vmq_ext_user *vmq_ext_user_of(const struct vmq_ext_port *ep)
{
	return container_of(ep->ops, struct vmq_ext_user, ops);
}

static int vmq_ext_user_attach(struct vmq_ext_port *ep,
			       struct netlink_ext_ack *extack)
{
	struct vmq_ext_user_port *p = kzalloc(sizeof(*p), GFP_KERNEL_ACCOUNT);

	if (!p)
		return -ENOMEM;
	p->user = vmq_ext_user_of(ep);
	p->ep = ep;
	mutex_init(&p->lock);
	timer_setup(&p->timer, vmq_ext_user_expired, 0);
	ep->priv = p;
	return 0;
}

static void vmq_ext_user_detach(struct vmq_ext_port *ep)
{
	struct vmq_ext_user_port *p = ep->priv;

	timer_delete_sync(&p->timer);
	mutex_destroy(&p->lock);
	kfree(p);
}

/* Nothing is sent, so that a port about which there is nothing to say costs none. */
static int vmq_ext_user_begin(struct vmq_ext_port *ep,
			      struct netlink_ext_ack *extack)
{
	struct vmq_ext_user_port *p = ep->priv;

	mutex_lock(&p->lock);
	p->state = VMQ_EXT_USER_IDLE;
	p->session = vmq_ext_user_next();
	p->told = false;
	p->applying = false;
	p->saved = false;
	p->left = p->user->timeout;
	mutex_unlock(&p->lock);
	return 0;
}

static void vmq_ext_user_complete(struct vmq_ext_port *ep, bool ok)
{
	struct vmq_ext_user_port *p = ep->priv;

	mutex_lock(&p->lock);
	vmq_ext_user_forget(p, VMQ_EXT_USER_IDLE);
	if (p->told)
		vmq_ext_user_send(p, VMQ_EXT_USER_OP_COMPLETE, ok);
	p->told = false;
	mutex_unlock(&p->lock);
	/* the session goes, and the timer knows it */
	timer_delete_sync(&p->timer);
}

static int vmq_ext_user_take(struct vmq_ext_user_port *p,
			     struct vmq_record *rec)
{
	const struct vmq_ext_user_answer *answer = &p->answer;
	int ret = vmq_ext_user_error(p);

	if (!ret && answer->size > rec->size) {
		/* SR-07: it stays here until there is room for it */
		rec->needed = answer->size;
		return -EMSGSIZE;
	}
	if (!ret && answer->size) {
		memcpy(rec->data, answer->data, answer->size);
		rec->version = p->user->ops.data_version;
		rec->flags = answer->optional ? VMQ_RECORD_OPTIONAL : 0;
		uuid_copy(&rec->class, &p->user->feature);
		p->saved = true;
		ret = answer->size;
	}
	vmq_ext_user_forget(p, VMQ_EXT_USER_IDLE);
	return ret;
}

static int vmq_ext_user_save_next(struct vmq_ext_port *ep,
				  struct vmq_record *rec)
{
	const struct vmq_record none = {};
	struct vmq_ext_user_port *p = ep->priv;
	int ret;

	mutex_lock(&p->lock);
	ret = vmq_ext_user_ask(p, VMQ_EXT_USER_OP_SAVE, &none);
	if (!ret)
		ret = vmq_ext_user_take(p, rec);
	else if (ret == -ETIMEDOUT && !p->saved)
		ret = 0;
	mutex_unlock(&p->lock);
	return ret;
}

static int vmq_ext_user_record(struct vmq_ext_user_port *p,
			       enum vmq_ext_user_op op,
			       const struct vmq_record *rec,
			       struct netlink_ext_ack *extack)
{
	int err = vmq_ext_user_ask(p, op, rec);

	if (err == -EINPROGRESS)
		return err;
	if (err && rec->flags & VMQ_RECORD_OPTIONAL)
		return 0;
	if (err) {
		NL_SET_ERR_MSG(extack, "the process does not answer");
		return err;
	}
	err = vmq_ext_user_error(p);
	if (err && p->answer.text[0])
		NL_SET_ERR_MSG_FMT(extack, "%s", p->answer.text);
	else if (err)
		NL_SET_ERR_MSG_FMT(extack, "the process refused (error %d)",
				   err);
	vmq_ext_user_forget(p, VMQ_EXT_USER_IDLE);
	return err;
}

static int vmq_ext_user_validate(struct vmq_ext_port *ep,
				 const struct vmq_record *rec,
				 struct netlink_ext_ack *extack)
{
	struct vmq_ext_user_port *p = ep->priv;
	int err;

	mutex_lock(&p->lock);
	err = vmq_ext_user_record(p, VMQ_EXT_USER_OP_VALIDATE, rec, extack);
	mutex_unlock(&p->lock);
	return err;
}

static int vmq_ext_user_apply(struct vmq_ext_port *ep,
			      const struct vmq_record *rec,
			      struct netlink_ext_ack *extack)
{
	struct vmq_ext_user_port *p = ep->priv;
	int err;

	mutex_lock(&p->lock);
	if (!p->applying) {
		p->applying = true;
		p->left = p->user->timeout;
	}
	err = vmq_ext_user_record(p, VMQ_EXT_USER_OP_APPLY, rec, extack);
	mutex_unlock(&p->lock);
	return err;
}

/* The process undoes it when it hears of the end of the session. */
static void vmq_ext_user_rollback(struct vmq_ext_port *ep)
{
}

/**
 * vmq_ext_user_ops() - makes a process known to the core as an extension
 * @u: the process; name, uuid, class and data version are set
 *
 * Context: Any.
 */
void vmq_ext_user_ops(struct vmq_ext_user *u)
{
	u->ops.name = u->name;
	u->ops.attach = vmq_ext_user_attach;
	u->ops.detach = vmq_ext_user_detach;
	u->ops.save_begin = vmq_ext_user_begin;
	u->ops.save_next = vmq_ext_user_save_next;
	u->ops.save_complete = vmq_ext_user_complete;
	u->ops.restore_begin = vmq_ext_user_begin;
	u->ops.validate = vmq_ext_user_validate;
	u->ops.apply = vmq_ext_user_apply;
	u->ops.rollback = vmq_ext_user_rollback;
	u->ops.restore_complete = vmq_ext_user_complete;
}

/* ---- the processes of an adapter ---- */

/**
 * vmq_ext_user_add() - makes a process an extension of its adapter
 * @u: the process, all set but its owner's list
 * @extack: says why not
 *
 * Context: Process context, rtnl held.
 * Return: 0, -EINVAL for a name or uuid that is none, -EEXIST where the adapter
 * has an extension with this name or uuid, -ENOSPC where it has
 * %VMQ_EXT_USER_MAX processes, or -ENOMEM.
 */
int vmq_ext_user_add(struct vmq_ext_user *u, struct netlink_ext_ack *extack)
{
	int err;

	ASSERT_RTNL();
	vmq_ext_user_ops(u);
	err = vmq_ext_local_add(u->adapter, u, &u->ops, extack);
	if (err)
		return err;
	u->owner->users++;
	list_add_tail(&u->owned, &u->owner->exts);
	return 0;
}

/**
 * vmq_ext_user_remove() - a process is an extension no more
 * @u: the process; freed
 * @tell: it lives, and is told
 *
 * Sessions that it takes part in go on without it, see vmq_party_leave().
 *
 * Context: Process context, sleeps, rtnl held.
 */
void vmq_ext_user_remove(struct vmq_ext_user *u, bool tell)
{
	const struct vmq_ext_user_port all = { .user = u };

	ASSERT_RTNL();
	if (tell && !u->lost)
		u->send(&all, VMQ_EXT_USER_OP_REMOVED, false);
	WRITE_ONCE(u->lost, true);
	vmq_ext_local_del(u->adapter, &u->ops);
	list_del(&u->owned);
	vmq_owner_put(u->owner);
	kfree(u);
}

/* Whoever does not read its messages is out. */
static void vmq_ext_user_reap(struct work_struct *work)
{
	struct vmq_ext_inst *inst, *next;
	struct vmq_adapter *a;

	rtnl_lock();
	list_for_each_entry(a, &vmq_adapters, node)
		list_for_each_entry_safe(inst, next, &a->exts, node)
			if (inst->user && READ_ONCE(inst->user->lost))
				vmq_ext_user_remove(inst->user, false);
	rtnl_unlock();
}

/**
 * vmq_ext_user_exit() - waits until the last process is out
 *
 * Context: Module exit, no adapter left.
 */
void vmq_ext_user_exit(void)
{
	flush_work(&vmq_ext_user_reap_work);
}
