// SPDX-License-Identifier: GPL-2.0
/*
 * vmqctl port save, port restore: the stream, between the kernel and a file.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "nl.h"
#include "out.h"
#include "vmqctl.h"

/* A little more than the largest record, so that one read takes it whole. */
#define PIECE	(128 << 10)

static char piece[PIECE];

/* ---- progress, on a terminal, of what takes over a second ---- */

struct progress {
	const char *what;
	bool wanted;
	bool shown;
	uint64_t bytes;
	uint64_t next;		/* ms */
};

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void progress_start(struct progress *p, const char *what)
{
	*p = (struct progress){
		.what = what,
		.wanted = isatty(STDERR_FILENO),
		.next = now_ms() + 1000,
	};
}

static void progress_add(struct progress *p, size_t bytes)
{
	p->bytes += bytes;
	if (!p->wanted || now_ms() < p->next)
		return;
	p->next = now_ms() + 200;
	p->shown = true;
	fprintf(stderr, "\r%s %" PRIu64 " bytes", p->what, p->bytes);
}

static void progress_end(struct progress *p)
{
	if (p->shown)
		fputs("\r\033[K", stderr);
	p->shown = false;
}

/* ---- the kernel's side ---- */

static void take_fd(const void *attrs, size_t len, void *arg)
{
	uint64_t fd;

	if (attr_get_uint(attrs, len, VMQ_A_PORT_FD, &fd))
		*(int *)arg = (int)fd;
}

/* Sends save-begin or restore-begin; *fd becomes the descriptor. */
static int begin(uint8_t cmd, const char *dev, int *fd)
{
	struct nl_request req;
	int err;

	*fd = -1;
	err = nl_request(&req, cmd, &port_set, dev);
	if (err)
		return err;
	err = nl_do(&req, take_fd, fd);
	if (!err && *fd < 0) {
		complain("%s: the kernel gave no descriptor", dev);
		return VMQCTL_FAILED;
	}
	return err;
}

struct reason {
	const char *dev;
	const char *why;
	bool told;
};

static void tell_reason(const void *attrs, size_t len, void *arg)
{
	const char *error = attr_get_str(attrs, len, VMQ_A_PORT_ERROR);
	struct reason *r = arg;

	if (error && *error) {
		complain("%s: %s: %s", r->dev, error, r->why);
		r->told = true;
	}
}

/* The descriptor gave up with an error; the port knows more than that. */
static void tell_failed(const char *dev, const char *what, int error)
{
	struct reason r = { .dev = dev, .why = strerror(error) };
	struct nl_request req;

	if (!nl_request(&req, VMQ_CMD_PORT_GET, &port_set, dev))
		nl_do_quiet(&req, tell_reason, &r);
	if (!r.told)
		complain("%s: %s: %s", dev, what, r.why);
}

static ssize_t read_some(int fd, void *buf, size_t len)
{
	ssize_t n;

	do {
		n = read(fd, buf, len);
	} while (n < 0 && errno == EINTR);
	return n;
}

static int write_all(int fd, const char *buf, size_t len)
{
	while (len) {
		ssize_t n = write(fd, buf, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		buf += n;
		len -= n;
	}
	return 0;
}

/* ---- save ---- */

static int save_to(const char *dev, int out, const char *out_name)
{
	int read_error = 0, write_error = 0;
	struct progress progress;
	int fd, err;
	ssize_t n;

	err = begin(VMQ_CMD_SAVE_BEGIN, dev, &fd);
	if (err)
		return err;

	progress_start(&progress, "saved");
	while ((n = read_some(fd, piece, sizeof(piece))) != 0) {
		if (n < 0) {
			read_error = errno;
			break;
		}
		if (write_all(out, piece, n)) {
			write_error = errno;
			break;
		}
		progress_add(&progress, n);
	}
	progress_end(&progress);

	if (read_error)
		tell_failed(dev, "save", read_error);
	if (write_error)
		complain("%s: %s", out_name, strerror(write_error));
	/* before the end of the stream this aborts the save */
	close(fd);
	return read_error || write_error ? VMQCTL_FAILED : VMQCTL_OK;
}

/* The unfinished file, which a signal must not leave behind. */
static char unfinished[PATH_MAX];

static void remove_unfinished(int sig)
{
	unlink(unfinished);
	signal(sig, SIG_DFL);
	raise(sig);
}

static void guard_unfinished(void)
{
	static const int signals[] = {
		SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGXFSZ,
	};
	struct sigaction sa = { .sa_handler = remove_unfinished };
	struct sigaction old;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(signals); i++)
		if (!sigaction(signals[i], NULL, &old) &&
		    old.sa_handler != SIG_IGN)
			sigaction(signals[i], &sa, NULL);
}

/* Gives the file its name once all of it is on the disk; 0 or an errno. */
static int finish_file(int out, const char *file)
{
	int error = 0;

	if (fsync(out))
		error = errno;
	if (close(out) && !error)
		error = errno;
	if (!error && rename(unfinished, file))
		error = errno;
	return error;
}

/*
 * Writes to a file beside the one that is meant, and gives it that name when it
 * is whole. The connections of a guest are nobody's business, hence mode 0600.
 */
static int save_to_tmp(const char *dev, const char *file)
{
	int out, err, error;

	if (snprintf(unfinished, sizeof(unfinished), "%s.XXXXXX", file) >=
	    (int)sizeof(unfinished)) {
		complain("%s: %s", file, strerror(ENAMETOOLONG));
		return VMQCTL_FAILED;
	}
	guard_unfinished();
	out = mkostemp(unfinished, O_CLOEXEC);
	if (out < 0) {
		complain("%s: %s", file, strerror(errno));
		return VMQCTL_FAILED;
	}

	err = save_to(dev, out, file);
	if (err) {
		close(out);
	} else {
		error = finish_file(out, file);
		if (error) {
			complain("%s: %s", file, strerror(error));
			err = VMQCTL_FAILED;
		}
	}
	if (err)
		unlink(unfinished);
	return err;
}

static int save_to_file(const char *dev, const char *file)
{
	struct stat st;
	char *real;
	int err;

	/* a symbolic link stays one; what is no file must not become one */
	if (stat(file, &st))
		return save_to_tmp(dev, file);
	if (!S_ISREG(st.st_mode)) {
		complain("%s: not a regular file", file);
		return VMQCTL_FAILED;
	}
	real = realpath(file, NULL);
	if (!real) {
		complain("%s: %s", file, strerror(errno));
		return VMQCTL_FAILED;
	}
	err = save_to_tmp(dev, real);
	free(real);
	return err;
}

static int parse(struct args *args, const char **dev, const char **file)
{
	const struct keyword keywords[] = {
		{ "dev", dev },
		{ "file", file },
	};
	int err;

	err = args_parse(args, keywords, ARRAY_SIZE(keywords));
	if (err)
		return err;
	if (!*dev)
		return usage_error("\"dev\" is missing");
	return VMQCTL_OK;
}

int port_save(struct args *args)
{
	const char *dev, *file;
	int err;

	err = parse(args, &dev, &file);
	if (err)
		return err;
	if (file)
		return save_to_file(dev, file);
	if (isatty(STDOUT_FILENO))
		return usage_error("a stream is not for a terminal: redirect the output, or name a file");
	return save_to(dev, STDOUT_FILENO, "standard output");
}

/* ---- restore ---- */

struct summary {
	uint64_t records;
	uint64_t unclaimed;
	uint64_t bytes;
	uint64_t usecs;
};

static void take_summary(const void *attrs, size_t len, void *arg)
{
	struct summary *s = arg;

	attr_get_uint(attrs, len, VMQ_A_PORT_RECORDS, &s->records);
	attr_get_uint(attrs, len, VMQ_A_PORT_RECORDS_UNCLAIMED, &s->unclaimed);
	attr_get_uint(attrs, len, VMQ_A_PORT_STATE_BYTES, &s->bytes);
	attr_get_uint(attrs, len, VMQ_A_PORT_STATE_USECS, &s->usecs);
}

static void show_restored(const char *dev, const struct summary *s)
{
	if (!out_is_json()) {
		fprintf(stderr,
			"restored %" PRIu64 " records (%" PRIu64 " unclaimed), %" PRIu64 " bytes\n",
			s->records, s->unclaimed, s->bytes);
		return;
	}
	out_obj_begin(NULL);
	out_cstr("dev", dev);
	out_uint("records", s->records);
	out_uint("records-unclaimed", s->unclaimed);
	out_uint("state-bytes", s->bytes);
	out_uint("state-usecs", s->usecs);
	out_obj_end();
}

static int commit(const char *dev, struct progress *progress)
{
	struct summary s = { .bytes = progress->bytes };
	struct nl_request req;
	int err;

	err = nl_request(&req, VMQ_CMD_RESTORE_COMMIT, &port_set, dev);
	if (err)
		return err;
	err = nl_do(&req, take_summary, &s);
	if (!err)
		show_restored(dev, &s);
	return err;
}

static int restore_from(const char *dev, int in, const char *in_name)
{
	int read_error = 0, write_error = 0;
	struct progress progress;
	int fd, err;
	ssize_t n;

	err = begin(VMQ_CMD_RESTORE_BEGIN, dev, &fd);
	if (err)
		return err;

	progress_start(&progress, "restored");
	while ((n = read_some(in, piece, sizeof(piece))) != 0) {
		if (n < 0) {
			read_error = errno;
			break;
		}
		if (write_all(fd, piece, n)) {
			write_error = errno;
			break;
		}
		progress_add(&progress, n);
	}
	progress_end(&progress);

	if (read_error)
		complain("%s: %s", in_name, strerror(read_error));
	else if (write_error == ENOMEM)
		/* not the stream's fault, so the kernel has no reason for it */
		complain("%s: restore: %s", dev, strerror(write_error));
	else if (write_error == ECANCELED)
		tell_failed(dev, "restore", write_error);
	else
		err = commit(dev, &progress);
	if (read_error || write_error)
		err = VMQCTL_FAILED;
	/* where nothing was committed, this ends it: the port is as it was */
	close(fd);
	return err;
}

int port_restore(struct args *args)
{
	const char *dev, *file;
	int in, err;

	err = parse(args, &dev, &file);
	if (err)
		return err;
	if (!file) {
		if (isatty(STDIN_FILENO))
			return usage_error("a stream does not come from a terminal: redirect the input, or name a file");
		return restore_from(dev, STDIN_FILENO, "standard input");
	}
	in = open(file, O_RDONLY | O_CLOEXEC);
	if (in < 0) {
		complain("%s: %s", file, strerror(errno));
		return VMQCTL_FAILED;
	}
	err = restore_from(dev, in, file);
	close(in);
	return err;
}
