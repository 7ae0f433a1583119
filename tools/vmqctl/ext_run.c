// SPDX-License-Identifier: GPL-2.0
/*
 * vmqctl ext run: an extension made of two commands, one that writes what is to be
 * saved of a port and one that reads it on the other host.
 *
 * One job a session: the kernel's requests of a session go to its job, whose
 * command runs while those of other ports go on. The kernel limits the time; when it
 * is over it says so (complete), and the command is killed.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ext_run.h"
#include "nl.h"
#include "vmqctl.h"

#define RECORD_MAX	65488		/* bytes of one record */
#define DATA_MAX	(16 << 20)	/* of all of them, as of a stream */
#define PORTS_MAX	256		/* that are saved or restored at once */
#define NAME_MAX_LEN	16

struct event {
	uint64_t op, request, session, length, ok;
	char dev[NAME_MAX_LEN], adapter[NAME_MAX_LEN], uuid[40];
	struct event *next;
};

struct job {
	uint32_t session;		/* 0: this place is free */
	char dev[NAME_MAX_LEN], adapter[NAME_MAX_LEN], uuid[40];
	uint32_t request;		/* that waits for an answer, or 0 */
	bool saving;
	bool ended;			/* the command, with status */
	int status;
	pid_t pid;			/* 0: it was not started yet */
	int fd;				/* of its output or input, or -1 */
	char *data;
	size_t len, size, pos;
};

static struct {
	struct ext_run how;
	struct event *first, **last;	/* not looked at yet */
	struct job jobs[PORTS_MAX];
	unsigned int adapters;		/* whose extension this is */
	sigset_t mask;			/* of signals, for commands */
	bool gone;
} run;

/* ---- the kernel ---- */

static void copy_str(char *to, size_t size, const void *attrs, size_t len,
		     uint16_t type)
{
	const char *s = attr_get_str(attrs, len, type);

	snprintf(to, size, "%s", s ? s : "");
}

/* Comes while an answer is awaited, too: it has to wait until that is there. */
static int hear(uint8_t cmd, const void *attrs, size_t len, void *arg)
{
	struct event *e;

	(void)arg;
	if (cmd != VMQ_CMD_EXT_REQUEST)
		return VMQCTL_OK;
	e = calloc(1, sizeof(*e));
	if (!e) {
		complain("no memory");
		return VMQCTL_FAILED;
	}
	attr_get_uint(attrs, len, VMQ_A_EXT_USER_OP, &e->op);
	attr_get_uint(attrs, len, VMQ_A_EXT_USER_REQUEST, &e->request);
	attr_get_uint(attrs, len, VMQ_A_EXT_USER_SESSION, &e->session);
	attr_get_uint(attrs, len, VMQ_A_EXT_USER_LENGTH, &e->length);
	attr_get_uint(attrs, len, VMQ_A_EXT_USER_OK, &e->ok);
	copy_str(e->dev, sizeof(e->dev), attrs, len, VMQ_A_EXT_USER_DEV);
	copy_str(e->adapter, sizeof(e->adapter), attrs, len,
		 VMQ_A_EXT_USER_ADAPTER);
	copy_str(e->uuid, sizeof(e->uuid), attrs, len,
		 VMQ_A_EXT_USER_PORT_UUID);
	*run.last = e;
	run.last = &e->next;
	return VMQCTL_OK;
}

/* Nobody may want the answer any more; the kernel has told, or will. */
static void answer(struct job *job, const void *data, size_t len, int error,
		   const char *why)
{
	static char big[RECORD_MAX + NL_REQUEST_MAX];
	struct nl_request req;

	nl_request(&req, VMQ_CMD_EXT_ANSWER, &ext_user_set, NULL);
	memcpy(big, req.buf, req.nlh->nlmsg_len);
	req.nlh = (struct nlmsghdr *)big;
	mnl_attr_put_u32(req.nlh, VMQ_A_EXT_USER_REQUEST, job->request);
	if (len)
		mnl_attr_put(req.nlh, VMQ_A_EXT_USER_DATA, len, data);
	if (error)
		mnl_attr_put_u32(req.nlh, VMQ_A_EXT_USER_ERROR, error);
	if (why)
		mnl_attr_put_strz(req.nlh, VMQ_A_EXT_USER_MESSAGE, why);
	job->request = 0;
	nl_do_quiet(&req, NULL, NULL);
}

static void refuse(struct job *job, int error, const char *why)
{
	complain("%s: %s", job->dev, why);
	answer(job, NULL, 0, error, why);
}

static void refuse_status(struct job *job, const char *what)
{
	char why[64];

	if (WIFEXITED(job->status))
		snprintf(why, sizeof(why), "the %s command ended with status %d",
			 what, WEXITSTATUS(job->status));
	else
		snprintf(why, sizeof(why), "the %s command ended with signal %d",
			 what, WTERMSIG(job->status));
	refuse(job, EIO, why);
}

/* ---- data and commands ---- */

static bool job_room(struct job *job, size_t more)
{
	size_t size = job->size ? job->size : 1 << 16;
	char *data;

	if (job->len + more > DATA_MAX)
		return false;
	while (size < job->len + more)
		size *= 2;
	if (size == job->size)
		return true;
	data = realloc(job->data, size);
	if (!data)
		return false;
	job->data = data;
	job->size = size;
	return true;
}

static void command(const struct job *job, const char *cmd, int fd, int target)
{
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &run.mask, NULL);
	setenv("VMQ_PORT", job->dev, 1);
	setenv("VMQ_ADAPTER", job->adapter, 1);
	setenv("VMQ_UUID", job->uuid, 1);
	if (fd >= 0)
		dup2(fd, target);
	execl("/bin/sh", "sh", "-c", cmd, (char *)NULL);
	_exit(127);
}

/* Starts the command, with its standard output or input in fd. */
static bool job_start(struct job *job, const char *cmd)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return false;
	job->pid = fork();
	if (!job->pid) {
		/* it ends with this one, and what it starts ends with it */
		setpgid(0, 0);
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		command(job, cmd, fds[job->saving],
			job->saving ? STDOUT_FILENO : STDIN_FILENO);
	}
	close(fds[job->saving]);
	job->fd = fds[!job->saving];
	if (job->pid > 0) {
		setpgid(job->pid, job->pid);
		fcntl(job->fd, F_SETFL, O_NONBLOCK);
		return true;
	}
	close(job->fd);
	job->fd = -1;
	job->pid = 0;
	return false;
}

static void job_close(struct job *job)
{
	if (job->fd >= 0)
		close(job->fd);
	job->fd = -1;
}

static void job_kill(struct job *job)
{
	job_close(job);
	if (job->pid && !job->ended) {
		kill(-job->pid, SIGKILL);
		waitpid(job->pid, NULL, 0);
	}
}

static void job_free(struct job *job)
{
	job_kill(job);
	free(job->data);
	memset(job, 0, sizeof(*job));
	job->fd = -1;
}

/* ---- what the kernel asks for ---- */

static struct job *job_find(uint32_t session)
{
	unsigned int i;

	for (i = 0; i < PORTS_MAX; i++)
		if (run.jobs[i].session == session)
			return &run.jobs[i];
	return NULL;
}

static struct job *job_of(const struct event *e)
{
	struct job *job = job_find(e->session);

	if (!job) {
		job = job_find(0);
		if (!job)
			return NULL;
		job->session = e->session;
		job->fd = -1;
		job->saving = e->op == VMQ_EXT_USER_OP_SAVE;
	}
	/* a port has another uuid once its own record is applied */
	memcpy(job->dev, e->dev, sizeof(job->dev));
	memcpy(job->adapter, e->adapter, sizeof(job->adapter));
	memcpy(job->uuid, e->uuid, sizeof(job->uuid));
	job->request = e->request;
	return job;
}

/* Answers what waits for the command's end, if that has come. */
static void job_answer(struct job *job)
{
	size_t part = job->len - job->pos;

	if (!job->request || !job->ended)
		return;
	if (job->status) {
		refuse_status(job, job->saving ? "save" : "restore");
		return;
	}
	if (!job->saving)
		part = 0;
	if (part > RECORD_MAX)
		part = RECORD_MAX;
	answer(job, job->data + job->pos, part, 0, NULL);
	job->pos += part;
}

static void ask_command(struct job *job, const char *cmd)
{
	if (!job->pid && !job_start(job, cmd)) {
		refuse(job, EAGAIN, "the command can't be started");
		return;
	}
	job_answer(job);
}

static void take_data(const void *attrs, size_t len, void *arg)
{
	const struct nlattr *attr = attr_find(attrs, len, VMQ_A_EXT_USER_DATA);
	size_t more = attr ? mnl_attr_get_payload_len(attr) : 0;
	struct job *job = arg;

	if (!more || !job_room(job, more))
		return;
	memcpy(job->data + job->len, mnl_attr_get_payload(attr), more);
	job->len += more;
}

/* The whole record, behind those that came before. */
static bool read_record(struct job *job, size_t length)
{
	size_t begin = job->len, before;
	struct nl_request req;

	while (job->len - begin < length) {
		before = job->len;
		nl_request(&req, VMQ_CMD_EXT_READ, &ext_user_set, NULL);
		mnl_attr_put_u32(req.nlh, VMQ_A_EXT_USER_REQUEST, job->request);
		mnl_attr_put_u32(req.nlh, VMQ_A_EXT_USER_OFFSET,
				 before - begin);
		if (nl_do_quiet(&req, take_data, job) || job->len == before)
			return false;
	}
	return true;
}

/* Nobody waits for it, so it is not a child. */
static void undo(const struct job *job)
{
	pid_t pid;

	if (!run.how.undo)
		return;
	pid = fork();
	if (!pid) {
		if (!fork())
			command(job, run.how.undo, -1, -1);
		_exit(0);
	}
	if (pid < 0)
		complain("%s: the undo command can't be started", job->dev);
	else
		waitpid(pid, NULL, 0);
}

static void complete(const struct event *e)
{
	struct job *job = job_find(e->session);

	if (!job)
		return;
	job_kill(job);
	if (!job->saving && job->pid && !e->ok)
		undo(job);
	job_free(job);
}

static void removed(const struct event *e)
{
	complain("%s: the extension was removed", e->adapter);
	run.gone = !--run.adapters;
}

static void handle(const struct event *e)
{
	struct job *job;

	if (e->op == VMQ_EXT_USER_OP_COMPLETE) {
		complete(e);
		return;
	}
	if (e->op == VMQ_EXT_USER_OP_REMOVED) {
		removed(e);
		return;
	}
	job = job_of(e);
	if (!job) {
		complain("%s: more ports at once than %u", e->dev, PORTS_MAX);
		return;
	}
	switch (e->op) {
	case VMQ_EXT_USER_OP_SAVE:
		ask_command(job, run.how.save);
		break;
	case VMQ_EXT_USER_OP_VALIDATE:
		if (read_record(job, e->length))
			answer(job, NULL, 0, 0, NULL);
		else
			refuse(job, ENOMEM, "the record can't be taken");
		break;
	case VMQ_EXT_USER_OP_APPLY:
		/* once for all records */
		ask_command(job, run.how.restore);
		break;
	}
}

static void handle_all(void)
{
	struct event *e;

	while ((e = run.first)) {
		run.first = e->next;
		if (!run.first)
			run.last = &run.first;
		handle(e);
		free(e);
	}
}

/* ---- what commands write and read ---- */

static void job_output(struct job *job)
{
	ssize_t n;

	if (!job_room(job, 1)) {
		job_kill(job);
		job->ended = true;
		job->status = SIGKILL;
		complain("%s: the save command wrote more than %u bytes", job->dev,
			 DATA_MAX);
		job_answer(job);
		return;
	}
	n = read(job->fd, job->data + job->len, job->size - job->len);
	if (n > 0)
		job->len += n;
	else if (!n || (errno != EAGAIN && errno != EINTR))
		job_close(job);
}

/* A command need not read all of it. */
static void job_input(struct job *job)
{
	ssize_t n = write(job->fd, job->data + job->pos, job->len - job->pos);

	if (n > 0)
		job->pos += n;
	if (job->pos == job->len ||
	    (n < 0 && errno != EAGAIN && errno != EINTR))
		job_close(job);
}

/* Output first, then the end: it may have closed its output and gone on. */
static void job_reap(struct job *job)
{
	if (!job->pid || job->ended || (job->saving && job->fd >= 0))
		return;
	if (waitpid(job->pid, &job->status, WNOHANG) != job->pid)
		return;
	job->ended = true;
	job_close(job);
	job_answer(job);
}

static void handle_jobs(const struct pollfd *fds)
{
	struct job *job;
	unsigned int i;

	for (i = 0; i < PORTS_MAX; i++) {
		job = &run.jobs[i];
		if (!job->session)
			continue;
		if (job->fd >= 0 && job->fd == fds[i].fd && fds[i].revents) {
			if (job->saving)
				job_output(job);
			else
				job_input(job);
		}
		job_reap(job);
	}
}

/* The end of a command ends the wait, by SIGCHLD, which is blocked otherwise. */
static int serve(void)
{
	static struct pollfd fds[PORTS_MAX + 1];
	unsigned int i;
	int err;

	while (!run.gone) {
		for (i = 0; i < PORTS_MAX; i++) {
			fds[i].fd = run.jobs[i].session ? run.jobs[i].fd : -1;
			fds[i].events = run.jobs[i].saving ? POLLIN : POLLOUT;
		}
		fds[i].fd = nl_fd();
		fds[i].events = POLLIN;
		if (ppoll(fds, PORTS_MAX + 1, NULL, &run.mask) < 0) {
			if (errno != EINTR)
				return VMQCTL_FAILED;
			memset(fds, 0, sizeof(fds));
		}
		if (fds[PORTS_MAX].revents) {
			err = nl_receive();
			if (err)
				return err;
		}
		handle_jobs(fds);
		handle_all();
		if (nl_lost()) {
			complain("the kernel was not listened to, and gave up");
			return VMQCTL_FAILED;
		}
	}
	return VMQCTL_FAILED;
}

static void child(int sig)
{
	(void)sig;
}

/* ---- begin ---- */

static int enlist(const char *dev)
{
	struct nl_request req;
	int err;

	err = nl_request(&req, VMQ_CMD_EXT_REGISTER, &ext_user_set, dev);
	if (!err)
		err = nl_put_str(&req, "name", VMQ_A_EXT_USER_NAME,
				 run.how.name);
	if (!err)
		err = nl_put_str(&req, "uuid", VMQ_A_EXT_USER_UUID,
				 run.how.uuid);
	if (err)
		return err;
	if (run.how.timeout)
		mnl_attr_put_u32(req.nlh, VMQ_A_EXT_USER_TIMEOUT,
				 run.how.timeout);
	if (run.how.version)
		mnl_attr_put_u16(req.nlh, VMQ_A_EXT_USER_DATA_VERSION,
				 run.how.version);
	mnl_attr_put_u8(req.nlh, VMQ_A_EXT_USER_ENABLED, 1);
	err = nl_do(&req, NULL, NULL);
	if (!err)
		run.adapters++;
	return err;
}

struct names {
	char (*dev)[NAME_MAX_LEN];
	size_t n;
};

static void take_name(const void *attrs, size_t len, void *arg)
{
	struct names *names = arg;
	void *more = realloc(names->dev, (names->n + 1) * sizeof(*names->dev));

	if (!more)
		return;
	names->dev = more;
	copy_str(names->dev[names->n++], NAME_MAX_LEN, attrs, len, ATTR_DEV);
}

/* All adapters that there are now. */
static int enlist_all(void)
{
	struct names names = {};
	struct nl_request req;
	size_t i;
	int err;

	nl_request(&req, VMQ_CMD_ADAPTER_GET, &adapter_set, NULL);
	err = nl_dump(&req, take_name, &names);
	for (i = 0; !err && i < names.n; i++)
		err = enlist(names.dev[i]);
	if (!err && !names.n) {
		complain("there is no adapter");
		err = VMQCTL_FAILED;
	}
	free(names.dev);
	return err;
}

/* Serves until it is killed, or until no adapter is left. */
int ext_run(const struct ext_run *how)
{
	struct sigaction act = { .sa_handler = child };
	sigset_t block;
	int err;

	run.how = *how;
	run.last = &run.first;
	sigaction(SIGCHLD, &act, NULL);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&block);
	sigaddset(&block, SIGCHLD);
	sigprocmask(SIG_BLOCK, &block, &run.mask);
	nl_on_event(hear, NULL);
	err = how->dev ? enlist(how->dev) : enlist_all();
	if (!err)
		nl_more_room();
	return err ? err : serve();
}
