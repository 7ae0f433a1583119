// SPDX-License-Identifier: GPL-2.0
/*
 * Queued mode: a queue with CPUs hands its frames to a NAPI of its own, whose
 * thread is bound to them (I-07, I-11, Q-24).
 *
 * Frames come through the queue's FIFO, and queue_fifo.h says how their order is
 * kept when a NAPI becomes the consumer of a FIFO or ceases to be. A move to other
 * CPUs only binds the thread anew: it is one thread all along.
 *
 * Life of a NAPI: made and enabled, then made the consumer; when another one is,
 * a grace period later, nobody knows it any more and it is disabled and freed.
 */
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/topology.h>
#include <net/netdev_queues.h>

#include "queue_napi.h"

static enum cpuhp_state vmq_cpuhp_state;

/* ---- waking ---- */

static void vmq_napi_carried(void *data)
{
	struct vmq_queue_napi *n = data;

	napi_schedule(&n->napi);
	/* pairs with who frees it: done with it from here on */
	smp_store_release(&n->carried, 0);
}

/**
 * vmq_napi_kick() - wakes a NAPI on its CPUs
 * @n: the NAPI
 *
 * Context: RCU read side, softirq; the FIFO says that it is to be woken.
 */
void vmq_napi_kick(struct vmq_queue_napi *n)
{
	int cpu = smp_processor_id();

	if (test_bit(NAPI_STATE_THREADED, &n->napi.state) ||
	    cpumask_test_cpu(cpu, n->cpus)) {
		napi_schedule(&n->napi);
		return;
	}
	/* the administrator switched threads off (/sys/class/net/X/threaded) */
	cpu = cpumask_any_and(n->cpus, cpu_online_mask);
	if (cpu >= nr_cpu_ids) {
		napi_schedule(&n->napi);
		return;
	}
	/* one that is on its way already has not woken the NAPI yet */
	if (xchg(&n->carried, 1))
		return;
	if (smp_call_function_single_async(cpu, &n->csd)) {
		WRITE_ONCE(n->carried, 0);
		napi_schedule(&n->napi);
	}
}

/* ---- where it runs ---- */

static void vmq_napi_note(struct vmq_queue_napi *n,
			  const struct cpumask *cpus)
{
	cpumask_copy(n->cpus, cpus);
	WRITE_ONCE(n->alone, cpumask_weight(cpus) == 1 ?
			     (int)cpumask_first(cpus) : -1);
}

/* Binds the thread, if there is one. */
static int vmq_napi_bind(struct vmq_queue_napi *n, const struct cpumask *cpus)
{
	struct net_device *dev = n->queue->adapter->dev;
	int err = 0;

	vmq_netdev_lock(dev);
	if (n->napi.thread)
		err = set_cpus_allowed_ptr(n->napi.thread, cpus);
	vmq_netdev_unlock(dev);
	return err;
}

/*
 * A thread gives itself the CPUs of its node when it first runs (kthread()), so
 * that what it was bound to before would be lost. It sleeps once it is past that.
 */
static void vmq_napi_wait_started(struct vmq_queue_napi *n)
{
	unsigned long end = jiffies + HZ;

	while (n->napi.thread &&
	       READ_ONCE(n->napi.thread->__state) != TASK_INTERRUPTIBLE &&
	       time_before(jiffies, end))
		usleep_range(100, 500);
}

/*
 * A CPU came back. The scheduler moved threads that had no other one away from it
 * for good, so that no queue was stuck.
 */
static void vmq_napi_rebind(struct work_struct *work)
{
	struct vmq_adapter *a;
	struct vmq_queue *q;
	u32 id;

	rtnl_lock();
	list_for_each_entry(a, &vmq_adapters, node) {
		for (id = 0; id < a->max_queues; id++) {
			q = rtnl_dereference(a->queue[id]);
			if (q && q->napi)
				vmq_napi_bind(q->napi, q->napi->cpus);
		}
	}
	rtnl_unlock();
}

static DECLARE_WORK(vmq_napi_rebind_work, vmq_napi_rebind);

/*
 * The administrator may have given the NAPI a new thread, which is not bound to
 * anything (/sys/class/net/X/threaded), wherever it happens to run first.
 */
static void vmq_napi_check(const struct vmq_queue_napi *n)
{
	if (current != READ_ONCE(n->napi.thread) ||
	    likely(cpumask_equal(current->cpus_ptr, n->cpus)))
		return;
	if (cpumask_intersects(n->cpus, cpu_online_mask))
		schedule_work(&vmq_napi_rebind_work);
}

/* Not here: others wait for this lock with rtnl held. */
static int vmq_napi_cpu_online(unsigned int cpu)
{
	schedule_work(&vmq_napi_rebind_work);
	return 0;
}

/**
 * vmq_napi_move() - moves a queued queue to other CPUs while it runs (I-07)
 * @q: the queue, queued
 * @cpus: where it is to run, at least one of them online
 *
 * Context: Process context, sleeps, rtnl held.
 * Return: 0 or the error of the scheduler; nothing changed then.
 */
int vmq_napi_move(struct vmq_queue *q, const struct cpumask *cpus)
{
	int err;

	ASSERT_RTNL();
	err = vmq_napi_bind(q->napi, cpus);
	if (!err)
		vmq_napi_note(q->napi, cpus);
	return err;
}

/**
 * vmq_napi_cpus() - CPUs of a queue
 * @q: the queue
 *
 * Context: rtnl or adapter->lock held.
 * Return: the CPUs, or NULL for a direct queue.
 */
const struct cpumask *vmq_napi_cpus(const struct vmq_queue *q)
{
	return q->napi ? q->napi->cpus : NULL;
}

/* ---- life ---- */

static int vmq_napi_poll(struct napi_struct *napi, int budget)
{
	struct vmq_queue_napi *n = container_of(napi, struct vmq_queue_napi,
						napi);
	int done;

	if (!budget)
		return 0;
	vmq_napi_check(n);
	if (vmq_queue_consume(n->queue, n, budget, &done))
		return budget;
	vmq_moder_sample(n);
	done = min(done, budget - 1);
	napi_complete_done(napi, done);
	return done;
}

/**
 * vmq_napi_new() - makes a NAPI for a queue, not in use yet
 * @q: the queue, direct
 * @cpus: where it is to run, at least one of them online
 *
 * Its memory comes from the node of the first CPU (M-15).
 *
 * Context: Process context, rtnl held.
 * Return: the NAPI for vmq_napi_use() or vmq_napi_free(), or ERR_PTR.
 */
struct vmq_queue_napi *vmq_napi_new(struct vmq_queue *q,
				    const struct cpumask *cpus)
{
	int node = cpu_to_node(cpumask_first_and(cpus, cpu_online_mask));
	struct net_device *dev = q->adapter->dev;
	struct vmq_queue_napi *n;
	bool threaded;
	int err;

	ASSERT_RTNL();
	n = kzalloc_node(sizeof(*n), GFP_KERNEL_ACCOUNT, node);
	if (!n)
		return ERR_PTR(-ENOMEM);
	if (!zalloc_cpumask_var_node(&n->cpus, GFP_KERNEL_ACCOUNT, node)) {
		kfree(n);
		return ERR_PTR(-ENOMEM);
	}
	vmq_napi_note(n, cpus);
	n->queue = q;
	INIT_CSD(&n->csd, vmq_napi_carried, n);
	vmq_moder_init(n);
	threaded = READ_ONCE(dev->threaded);
	vmq_netif_napi_add(dev, &n->napi, vmq_napi_poll, q->id);
	if (threaded && !READ_ONCE(dev->threaded)) {
		/* no memory for the thread: the core gave all threads up */
		netif_napi_del(&n->napi);
		dev_set_threaded(dev, 1);
		err = -ENOMEM;
		goto err_free;
	}
	napi_enable(&n->napi);
	vmq_napi_wait_started(n);
	err = vmq_napi_bind(n, cpus);
	if (!err)
		return n;
	napi_disable(&n->napi);
	netif_napi_del(&n->napi);
err_free:
	free_cpumask_var(n->cpus);
	kfree(n);
	return ERR_PTR(err);
}

/**
 * vmq_napi_free() - frees a NAPI that nobody uses
 * @n: the NAPI; a grace period has passed since it was in use
 *
 * Context: Process context, sleeps, rtnl held.
 */
void vmq_napi_free(struct vmq_queue_napi *n)
{
	ASSERT_RTNL();
	vmq_moder_stop(n);
	/* pairs with vmq_napi_carried() */
	while (smp_load_acquire(&n->carried))
		cpu_relax();
	napi_disable(&n->napi);
	vmq_moder_exit(n);
	netif_napi_del(&n->napi);
	free_cpumask_var(n->cpus);
	kfree(n);
}

/* ethtool and netdev-genl show the NAPI of the queue. */
static void vmq_napi_show(struct vmq_queue *q, struct napi_struct *napi)
{
	netif_queue_set_napi(q->adapter->dev, q->id, NETDEV_QUEUE_TYPE_RX,
			     napi);
}

/**
 * vmq_napi_use() - makes a queue queued
 * @q: the queue, direct
 * @n: from vmq_napi_new()
 *
 * Context: Process context, rtnl held.
 */
void vmq_napi_use(struct vmq_queue *q, struct vmq_queue_napi *n)
{
	ASSERT_RTNL();
	q->napi = n;
	vmq_napi_show(q, &n->napi);
	if (vmq_fifo_switch(&q->fifo, n) == VMQ_WAKE_NOW)
		vmq_queue_kick(q);
}

/**
 * vmq_napi_unuse() - makes a queue direct, if it is not
 * @q: the queue
 *
 * A grace period later it is the turn of vmq_napi_release().
 *
 * Context: Process context, rtnl held.
 */
void vmq_napi_unuse(struct vmq_queue *q)
{
	if (!q->napi)
		return;
	ASSERT_RTNL();
	if (vmq_fifo_switch(&q->fifo, NULL) == VMQ_WAKE_NOW)
		vmq_queue_kick(q);
	vmq_napi_show(q, NULL);
}

/**
 * vmq_napi_release() - frees the NAPI of a queue that is direct again
 * @q: the queue, which may never have had one
 *
 * Context: Process context, sleeps, rtnl held.
 */
void vmq_napi_release(struct vmq_queue *q)
{
	if (!q->napi)
		return;
	vmq_napi_free(q->napi);
	q->napi = NULL;
}

/**
 * vmq_napi_init() - watches for CPUs that come back
 *
 * Context: Module init.
 * Return: 0 or a negative errno.
 */
int __init vmq_napi_init(void)
{
	int state = cpuhp_setup_state_nocalls(CPUHP_AP_ONLINE_DYN,
					      "net/vmq:online",
					      vmq_napi_cpu_online, NULL);

	if (state < 0)
		return state;
	vmq_cpuhp_state = state;
	return 0;
}

/**
 * vmq_napi_exit() - undoes vmq_napi_init()
 *
 * Context: Module exit, no adapter left.
 */
void vmq_napi_exit(void)
{
	cpuhp_remove_state_nocalls(vmq_cpuhp_state);
	cancel_work_sync(&vmq_napi_rebind_work);
}
