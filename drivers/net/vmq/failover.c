// SPDX-License-Identifier: GPL-2.0
/*
 * The data path of a port: synthetic, through the switch and its extensions, or
 * a VF past them. Which one is wanted is the port's policy; going from one to the
 * other takes the steps of S-27 and S-30, each announced.
 *
 * A VF is allocated to a port (it has its address then), and the path leads there
 * while the VF is ready: its driver is bound, its netdev up, its link not
 * disabled. It is the guest that has to use the VF's netdev and the port's as
 * one, by a bond or virtio's failover.
 *
 * While a port is saved or restored, and while its gate is shut, its path is
 * synthetic: a VF knows no gate, and no state of a VF moves to another host
 * (L-15). The path returns to the VF when the guest speaks (L-16). An extension that
 * forwards can keep it synthetic, too (S-34).
 */
#include "policy.h"

static bool vmq_path_ready(struct vmq_path_vf *pv)
{
	return pv && pv->ops->ready(pv);
}

/* Must it be synthetic, whatever VFs there are? */
static bool vmq_path_held(struct vmq_port *port)
{
	return READ_ONCE(port->gate.shut) || vmq_session_runs(port) ||
	       vmq_ext_holds_path(port);
}

static void vmq_path_set_vf(struct vmq_path *path, struct vmq_path_vf *pv)
{
	path->vf = pv;
	WRITE_ONCE(path->vf_id, pv ? pv->id : VMQ_PATH_ANY_VF);
}

static void vmq_path_vport(struct vmq_path_vf *pv, enum vmq_vport_event event)
{
	int next = vmq_vport_next_state(VMQ_VPORT_VF, pv->vport, event);

	if (!WARN_ON_ONCE(next < 0))
		pv->vport = next;
}

/* S-27, from step 3 on; the VF was allocated before. */
static void vmq_path_to_vf(struct vmq_port *port)
{
	struct vmq_path_vf *pv = port->path.vf;

	vmq_path_vport(pv, VMQ_VPORT_CREATE);
	pv->ops->update(pv);
	vmq_notify_step(port, VMQ_PATH_STEP_VPORT_CREATE);
	/* until here nothing of the port has changed (S-28) */
	vmq_filters_to_path(port, pv);
	vmq_notify_step(port, VMQ_PATH_STEP_FILTERS_TO_VF);
	pv->exposed = true;
	pv->ops->update(pv);
	vmq_notify_step(port, VMQ_PATH_STEP_VF_EXPOSE);
	port->path.changes++;
	vmq_notify_step(port, VMQ_PATH_STEP_VF_SWITCH);
}

/* S-30, but for its last step; the first one can't fail (S-31). */
static void vmq_path_to_synthetic(struct vmq_port *port)
{
	struct vmq_path_vf *pv = port->path.vf;

	vmq_filters_to_port(port, pv);
	port->path.changes++;
	vmq_notify_step(port, VMQ_PATH_STEP_FILTERS_TO_PORT);
	pv->exposed = false;
	vmq_path_vport(pv, VMQ_VPORT_DELETE);
	pv->ops->update(pv);
	vmq_notify_step(port, VMQ_PATH_STEP_VPORT_DELETE);
	pv->ops->reset(pv);
	vmq_notify_step(port, VMQ_PATH_STEP_VF_RESET);
}

static void vmq_path_free(struct vmq_path_vf *pv)
{
	struct vmq_port *port = pv->user;

	pv->user = NULL;
	pv->ops->release(pv);
	vmq_notify_step(port, VMQ_PATH_STEP_VF_FREE);
	vmq_path_set_vf(&port->path, NULL);
}

static int vmq_path_allocate(struct vmq_port *port, struct vmq_path_vf *pv,
			     struct netlink_ext_ack *extack)
{
	int err;

	pv->user = port;
	err = pv->ops->allocate(pv, extack);
	if (err)
		pv->user = NULL;
	return err;
}

/* Gives a port that waits for a VF one that is free (S-22, S-33). */
static void vmq_path_take(struct vmq_port *port)
{
	struct vmq_path *path = &port->path;
	struct vmq_path_vf *pv;

	if (path->policy != VMQ_PORT_PATH_POLICY_AUTO || path->vf)
		return;
	pv = vmq_path_vf_find(port->adapter, path->uplink, path->want);
	if (!pv || pv->user || vmq_path_allocate(port, pv, NULL))
		return;
	vmq_path_set_vf(path, pv);
	vmq_notify_step(port, VMQ_PATH_STEP_VF_ALLOCATE);
	vmq_path_check(pv);
}

/**
 * vmq_path_kick() - VFs came or were freed: ports may be waiting for one
 * @a: the adapter
 *
 * Context: Process context, rtnl held.
 */
void vmq_path_kick(struct vmq_adapter *a)
{
	struct vmq_port *port;

	if (!a->registered || a->uplink_event)
		return;
	list_for_each_entry(port, &a->ports, node)
		vmq_path_take(port);
}

/**
 * vmq_path_check() - something of a VF changed: may its port use it, must it not?
 * @pv: the VF, allocated or not
 *
 * Falls back whatever the policy is; returns by itself where it is auto.
 *
 * Context: Process context, rtnl held.
 */
void vmq_path_check(struct vmq_path_vf *pv)
{
	struct vmq_port *port = pv->user;

	if (!port || port->path.vf != pv)
		return;
	if (port->path.active && !vmq_path_ready(pv)) {
		vmq_path_to_synthetic(port);
		/* who named this VF says when it is to be used again */
		if (port->path.policy == VMQ_PORT_PATH_POLICY_VF)
			vmq_path_give_up(port);
	} else if (!port->path.active && vmq_path_ready(pv) &&
		   port->path.policy == VMQ_PORT_PATH_POLICY_AUTO &&
		   !vmq_path_held(port)) {
		vmq_path_to_vf(port);
	}
}

/**
 * vmq_path_fall_back() - takes a port off its VF, which stays the port's
 * @port: the port
 *
 * A path that is auto returns when something of the VF changes, or when it is
 * set again.
 *
 * Context: Process context, rtnl held.
 */
void vmq_path_fall_back(struct vmq_port *port)
{
	if (port->path.active)
		vmq_path_to_synthetic(port);
}

/**
 * vmq_path_resume() - what kept a port off its VF is over
 * @port: the port
 *
 * Context: Process context, rtnl held.
 */
void vmq_path_resume(struct vmq_port *port)
{
	struct vmq_path *path = &port->path;

	if (path->vf && !path->active && vmq_path_ready(path->vf) &&
	    !vmq_path_held(port))
		vmq_path_to_vf(port);
}

static void vmq_path_again(struct work_struct *work)
{
	struct vmq_path *path = container_of(to_delayed_work(work),
					     struct vmq_path, again);
	struct vmq_port *port;

	/* who takes the port away, or shuts its gate, may wait for us */
	if (!rtnl_trylock()) {
		queue_delayed_work(vmq_gate_wq, &path->again, 1);
		return;
	}
	port = container_of(path, struct vmq_port, path);
	if (vmq_path_held(port))
		vmq_path_fall_back(port);
	else
		vmq_path_resume(port);
	rtnl_unlock();
}

/**
 * vmq_path_later() - what keeps a port off its VF came or went, told without rtnl
 * @port: the port
 *
 * Context: Any.
 */
void vmq_path_later(struct vmq_port *port)
{
	if (READ_ONCE(port->path.vf_id) != VMQ_PATH_ANY_VF)
		queue_delayed_work(vmq_gate_wq, &port->path.again, 0);
}

/**
 * vmq_path_init() - a new port has no VF
 * @port: the port
 *
 * Context: Process context.
 */
void vmq_path_init(struct vmq_port *port)
{
	port->path.want = VMQ_PATH_ANY_VF;
	port->path.vf_id = VMQ_PATH_ANY_VF;
	INIT_DELAYED_WORK(&port->path.again, vmq_path_again);
}

/**
 * vmq_path_destroy() - a port goes; it has given up its VF
 * @port: the port
 *
 * Context: Process context, rtnl held; no save or restore of the port runs, and
 * its gate is gone.
 */
void vmq_path_destroy(struct vmq_port *port)
{
	disable_delayed_work_sync(&port->path.again);
}

/**
 * vmq_path_lose() - a VF goes away for good; a port that is auto waits for another
 * @pv: the VF
 *
 * Context: Process context, rtnl held.
 */
void vmq_path_lose(struct vmq_path_vf *pv)
{
	struct vmq_port *port = pv->user;

	if (!port)
		return;
	vmq_path_fall_back(port);
	if (port->path.policy == VMQ_PORT_PATH_POLICY_VF)
		port->path.policy = VMQ_PORT_PATH_POLICY_SYNTHETIC;
	vmq_path_free(pv);
}

/**
 * vmq_path_give_up() - a port without a VF, and without the wish for one
 * @port: the port
 *
 * Context: Process context, rtnl held.
 */
void vmq_path_give_up(struct vmq_port *port)
{
	struct vmq_path_vf *pv = port->path.vf;

	port->path.policy = VMQ_PORT_PATH_POLICY_SYNTHETIC;
	port->path.want = VMQ_PATH_ANY_VF;
	port->path.uplink = false;
	vmq_path_fall_back(port);
	if (!pv)
		return;
	vmq_path_free(pv);
	vmq_path_kick(port->adapter);
}

/* ---- port-set ---- */

static int vmq_path_find(struct vmq_port *port, struct vmq_path_request *req,
			 struct netlink_ext_ack *extack)
{
	bool automatic = req->policy == VMQ_PORT_PATH_POLICY_AUTO;
	struct vmq_path_vf *pv;
	int err;

	if (req->uplink) {
		err = vmq_path_uplink_check(port->adapter, extack);
		if (err)
			return err;
	}

	if (req->want == VMQ_PATH_ANY_VF && port->path.vf &&
	    port->path.vf->ops->uplink == req->uplink)
		pv = port->path.vf;
	else
		pv = vmq_path_vf_find(port->adapter, req->uplink, req->want);
	if (!pv && req->want == VMQ_PATH_ANY_VF && automatic)
		return 0;
	if (!pv) {
		NL_SET_ERR_MSG_FMT(extack, "there is no such VF of %s",
				   req->uplink ? "the uplink" :
				   port->adapter->dev->name);
		return -ENOENT;
	}
	if (pv->user && pv->user != port) {
		NL_SET_ERR_MSG_FMT(extack, "VF %u is in use by port %s", pv->id,
				   pv->user->dev->name);
		return -EBUSY;
	}
	if (!automatic && !vmq_path_ready(pv)) {
		NL_SET_ERR_MSG_FMT(extack, "VF %u is not ready: no driver, down, or disabled",
				   pv->id);
		return -ENETDOWN;
	}
	req->vf = pv;
	return 0;
}

/**
 * vmq_path_prepare() - can a port have this path? Allocates its VF
 * @port: the port
 * @req: what is asked for; vmq_path_apply() or vmq_path_drop() follows
 * @extack: says why not
 *
 * Context: Process context, rtnl held.
 * Return: 0, -EINVAL for a path that makes no sense, -ENOENT if there is no such
 * VF, -EBUSY if it is another port's or has a VLAN of its own, -ENETDOWN if it
 * can't be used now, -EOPNOTSUPP if the uplink has no VFs that ports can use, or an
 * error of the uplink.
 */
int vmq_path_prepare(struct vmq_port *port, struct vmq_path_request *req,
		     struct netlink_ext_ack *extack)
{
	int err;

	if (req->policy == VMQ_PORT_PATH_POLICY_SYNTHETIC) {
		if (req->want == VMQ_PATH_ANY_VF && !req->uplink)
			return 0;
		NL_SET_ERR_MSG(extack, "the synthetic path has no VF");
		return -EINVAL;
	}
	if (req->policy == VMQ_PORT_PATH_POLICY_VF &&
	    req->want == VMQ_PATH_ANY_VF) {
		NL_SET_ERR_MSG(extack, "which VF? vf is missing");
		return -EINVAL;
	}
	err = vmq_path_find(port, req, extack);
	if (err || !req->vf || req->vf->user == port)
		return err;
	err = vmq_path_allocate(port, req->vf, extack);
	if (err)
		return err;
	req->fresh = true;
	port->path.fresh = req->vf;
	return 0;
}

/**
 * vmq_path_apply() - gives a port the path that was prepared
 * @port: the port
 * @req: what was asked for
 *
 * Context: Process context, rtnl held.
 */
void vmq_path_apply(struct vmq_port *port, struct vmq_path_request *req)
{
	struct vmq_path *path = &port->path;

	if (path->vf && path->vf != req->vf)
		vmq_path_give_up(port);
	path->policy = req->policy;
	path->want = req->want;
	path->uplink = req->uplink;
	vmq_path_set_vf(path, req->vf);
	path->fresh = NULL;
	if (req->fresh)
		vmq_notify_step(port, VMQ_PATH_STEP_VF_ALLOCATE);
	req->fresh = false;
	vmq_path_resume(port);
}

/**
 * vmq_path_drop() - takes back what vmq_path_prepare() did and nobody applied
 * @req: what was asked for
 *
 * Context: Process context, rtnl held.
 */
void vmq_path_drop(struct vmq_path_request *req)
{
	if (!req->fresh)
		return;
	req->vf->user->path.fresh = NULL;
	req->vf->user = NULL;
	req->vf->ops->release(req->vf);
	req->fresh = false;
}

/**
 * vmq_path_mac() - the address of a port changed, and so does its VF's (S-24)
 * @port: the port
 *
 * Context: Process context, rtnl held.
 */
void vmq_path_mac(struct vmq_port *port)
{
	if (port->path.vf)
		port->path.vf->ops->mac(port->path.vf);
}

/* ---- the policy of a port, and its VF ---- */

/**
 * vmq_path_follows() - can a VF follow a policy?
 * @uplink: it is one of the uplink, where the NIC has to
 * @p: the policy of its port, or NULL
 * @extack: says why not
 *
 * Context: Any.
 * Return: 0 or -EOPNOTSUPP.
 */
int vmq_path_follows(bool uplink, const struct vmq_policy *p,
		     struct netlink_ext_ack *extack)
{
	if (!uplink || !p || (!p->trunk && !p->isolate))
		return 0;
	NL_SET_ERR_MSG(extack, "VFs of the uplink know no trunk, no isolate: path synthetic first");
	return -EOPNOTSUPP;
}

/**
 * vmq_path_wants_uplink() - has a port a VF of the uplink, or waits for one?
 * @port: the port
 *
 * Context: Process context, rtnl held.
 * Return: true if so.
 */
bool vmq_path_wants_uplink(const struct vmq_port *port)
{
	return port->path.policy != VMQ_PORT_PATH_POLICY_SYNTHETIC &&
	       port->path.uplink;
}

/**
 * vmq_path_policy() - the policy of a port changes, and its VF's with it
 * @port: the port
 * @p: the policy, or NULL
 * @extack: says why not
 *
 * Context: Process context, rtnl held.
 * Return: 0, -EOPNOTSUPP where the VF can't follow, or the error of its NIC;
 * nothing changed then.
 */
int vmq_path_policy(struct vmq_port *port, const struct vmq_policy *p,
		    struct netlink_ext_ack *extack)
{
	struct vmq_path_vf *fresh = port->path.fresh;
	struct vmq_path_vf *pv = port->path.vf;
	int err = vmq_path_follows(vmq_path_wants_uplink(port), p, extack);

	if (!err && pv)
		err = pv->ops->policy(pv, p, extack);
	/* the request gives it another VF as well */
	if (!err && fresh) {
		err = fresh->ops->policy(fresh, p, extack);
		if (err && pv)
			pv->ops->policy(pv, rtnl_dereference(port->policy), NULL);
	}
	return err;
}
