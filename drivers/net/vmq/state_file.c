// SPDX-License-Identifier: GPL-2.0
/*
 * The descriptor of a session: reading one to its end is a save, writing a
 * stream into the other kind stages a restore.
 *
 * Closing it before the end ends the session. Nothing here takes rtnl, and
 * user memory is never touched with the session's lock held: see state.h.
 */
#include <linux/anon_inodes.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/uaccess.h>

#include "state.h"

/* A write is looked at piece by piece, so that garbage is refused early. */
#define VMQ_WRITE_PIECE		SZ_64K

/* Refuses the descriptor of a session that is over, or whose stream was. */
static int vmq_session_usable(const struct vmq_session *s)
{
	lockdep_assert_held(&s->lock);
	if (s->error)
		return s->error;
	return s->port ? 1 : 0;
}

/* ---- save ---- */

static int vmq_read_part_now(struct vmq_session *s)
{
	int kicks = atomic_read(&s->waiter.kicks);
	int ret;

	lockdep_assert_held(&s->lock);
	ret = vmq_session_usable(s);
	if (ret <= 0 || s->pos != s->save.len)
		return ret;
	s->pos = 0;
	ret = vmq_save_part(&s->save, &s->reason);
	s->pending = ret == -EINPROGRESS;
	s->kicks = kicks;
	if (ret < 0 && !s->pending)
		vmq_session_failed(s, ret);
	return ret;
}

/*
 * Has a part of the stream ready that was not read yet; where an extension has no
 * answer yet, waits for it, if it may.
 * 1: there is one; 0: the end was read; else an error.
 */
static int vmq_read_part(struct vmq_session *s, bool wait)
{
	int kicks;
	int ret;

	for (;;) {
		mutex_lock(&s->lock);
		ret = vmq_read_part_now(s);
		kicks = s->kicks;
		mutex_unlock(&s->lock);
		if (ret != -EINPROGRESS)
			return ret;
		if (!wait)
			return -EAGAIN;
		ret = vmq_session_wait(s, kicks);
		if (ret)
			return ret;
	}
}

/* Ends the save when its last byte was read, unless it was ended meanwhile. */
static int vmq_read_done(struct vmq_session *s)
{
	int ret;

	if (s->save.step != VMQ_SAVE_DONE || s->pos != s->save.len)
		return 0;
	mutex_lock(&s->lock);
	ret = vmq_session_usable(s);
	if (ret > 0) {
		vmq_session_saved(s);
		ret = 0;
	}
	mutex_unlock(&s->lock);
	return ret;
}

static ssize_t vmq_save_read(struct file *file, char __user *ubuf, size_t count,
			     loff_t *pos)
{
	struct vmq_session *s = file->private_data;
	size_t part, done = 0;
	int ret = 0;

	if (mutex_lock_interruptible(&s->io))
		return -ERESTARTSYS;
	while (done < count) {
		ret = vmq_read_part(s, !done && !(file->f_flags & O_NONBLOCK));
		if (ret <= 0)
			break;
		part = min(count - done, s->save.len - s->pos);
		if (copy_to_user(ubuf + done, s->save.buf + s->pos, part)) {
			ret = -EFAULT;
			break;
		}
		s->pos += part;
		done += part;
		ret = vmq_read_done(s);
		if (ret) {
			/* aborted: the end must not look like one */
			done = 0;
			break;
		}
		if (signal_pending(current))
			break;
		cond_resched();
	}
	mutex_unlock(&s->io);
	/* an error after some bytes is told by the next read */
	return done ?: ret;
}

static __poll_t vmq_save_poll(struct file *file, poll_table *wait)
{
	struct vmq_session *s = file->private_data;
	/* blocks for an extension without an answer, at the end it does not */
	__poll_t mask = EPOLLIN | EPOLLRDNORM;

	poll_wait(file, &s->waiter.wait, wait);
	mutex_lock(&s->lock);
	if (s->port && s->pending &&
	    s->kicks == atomic_read(&s->waiter.kicks))
		mask = 0;
	if (s->error)
		mask |= EPOLLERR | EPOLLHUP;
	mutex_unlock(&s->lock);
	return mask;
}

/* ---- restore ---- */

/* Makes room for a piece; its bytes are then copied without the lock. */
static int vmq_write_reserve(struct vmq_session *s, size_t len)
{
	int ret;

	mutex_lock(&s->lock);
	ret = vmq_session_usable(s);
	if (!ret)
		ret = -EPIPE;
	/* the one who commits ends it, well or not */
	if (ret > 0 && s->committing)
		ret = -EBUSY;
	if (ret > 0 && s->restore.parser.done) {
		/* not even looked at: a commit may be reading the buffer next */
		vmq_reason_set(&s->reason, "bytes after the end record");
		ret = -EINVAL;
		vmq_session_failed(s, ret);
	} else if (ret > 0) {
		ret = vmq_restore_reserve(&s->restore, len, &s->reason);
		/* short of memory, the writer may try again */
		if (ret && ret != -ENOMEM)
			vmq_session_failed(s, ret);
	}
	mutex_unlock(&s->lock);
	return ret;
}

static int vmq_write_feed(struct vmq_session *s, size_t len, bool wait)
{
	int kicks;
	int ret;

	mutex_lock(&s->lock);
	ret = vmq_session_usable(s);
	if (!ret)
		ret = -EPIPE;
	if (ret < 0)
		goto unlock;
	ret = vmq_restore_feed(&s->restore, len, &s->reason);
	if (ret < 0)
		vmq_session_failed(s, ret);
	while (ret > 0) {
		kicks = atomic_read(&s->waiter.kicks);
		ret = vmq_session_validate(s);
		if (ret != -EINPROGRESS)
			break;
		ret = 0;
		if (!wait)
			break;
		mutex_unlock(&s->lock);
		/* the bytes are written: a commit goes on where this one stops */
		wait = !vmq_session_wait(s, kicks);
		mutex_lock(&s->lock);
		ret = wait ? vmq_session_usable(s) : 0;
	}
unlock:
	mutex_unlock(&s->lock);
	return ret;
}

static ssize_t vmq_restore_write(struct file *file, const char __user *ubuf,
				 size_t count, loff_t *pos)
{
	struct vmq_session *s = file->private_data;
	size_t piece, done = 0;
	int ret = 0;

	if (mutex_lock_interruptible(&s->io))
		return -ERESTARTSYS;
	while (done < count) {
		piece = min_t(size_t, count - done, VMQ_WRITE_PIECE);
		ret = vmq_write_reserve(s, piece);
		if (ret)
			break;
		/* only this thread moves the buffer while it has s->io */
		if (copy_from_user(s->restore.buf + s->restore.len, ubuf + done,
				   piece)) {
			ret = -EFAULT;
			break;
		}
		ret = vmq_write_feed(s, piece, !(file->f_flags & O_NONBLOCK));
		if (ret) {
			/* a stream that is refused was not written */
			done = 0;
			break;
		}
		done += piece;
		if (signal_pending(current))
			break;
		cond_resched();
	}
	mutex_unlock(&s->io);
	return done ?: ret;
}

static __poll_t vmq_restore_poll(struct file *file, poll_table *wait)
{
	struct vmq_session *s = file->private_data;
	__poll_t mask = 0;

	poll_wait(file, &s->waiter.wait, wait);
	mutex_lock(&s->lock);
	if (s->error)
		mask = EPOLLOUT | EPOLLWRNORM | EPOLLERR;
	else if (s->port && !s->restore.parser.done)
		mask = EPOLLOUT | EPOLLWRNORM;
	if (!s->port)
		mask |= EPOLLHUP;
	mutex_unlock(&s->lock);
	return mask;
}

static int vmq_session_release(struct inode *inode, struct file *file)
{
	vmq_session_closed(file->private_data);
	return 0;
}

static const struct file_operations vmq_save_fops = {
	.owner = THIS_MODULE,
	.read = vmq_save_read,
	.poll = vmq_save_poll,
	.release = vmq_session_release,
};

static const struct file_operations vmq_restore_fops = {
	.owner = THIS_MODULE,
	.write = vmq_restore_write,
	.poll = vmq_restore_poll,
	.release = vmq_session_release,
};

/**
 * vmq_session_file() - makes the file of a session
 * @s: the session; the file has a reference of its own
 *
 * Context: Process context.
 * Return: the file, not installed yet, or an error pointer.
 */
struct file *vmq_session_file(struct vmq_session *s)
{
	struct file *file;

	if (s->writing)
		file = anon_inode_getfile("[vmq-restore]", &vmq_restore_fops, s,
					  O_WRONLY | O_CLOEXEC);
	else
		file = anon_inode_getfile("[vmq-save]", &vmq_save_fops, s,
					  O_RDONLY | O_CLOEXEC);
	if (IS_ERR(file))
		return file;
	kref_get(&s->ref);
	stream_open(file_inode(file), file);
	return file;
}
