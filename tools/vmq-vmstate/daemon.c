// SPDX-License-Identifier: GPL-2.0
/*
 * A bus for one virtual machine: a dbus-daemon of our own.
 */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "vmstate.h"

/* Who gets past the socket's mode is root or the user that QEMU runs as. */
static const char config[] =
"<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN\"\n"
" \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n"
"<busconfig>\n"
"  <type>vmq-vmstate</type>\n"
"  <listen>unix:path=%s</listen>\n"
"  <auth>EXTERNAL</auth>\n"
"  <policy context=\"default\">\n"
"    <allow user=\"root\"/>\n"
"    <allow user=\"%s\"/>\n"
"    <allow own=\"*\"/>\n"
"    <allow send_destination=\"*\" eavesdrop=\"true\"/>\n"
"    <allow receive_sender=\"*\"/>\n"
"  </policy>\n"
"  <limit name=\"max_message_size\">4194304</limit>\n"
"</busconfig>\n";

static int write_config(char *name, const char *path, const char *user)
{
	int fd = mkostemp(name, O_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
	int bad;

	if (!f) {
		complain("%s: %s", name, strerror(errno));
		return -1;
	}
	bad = fprintf(f, config, path, user) < 0;
	if (fclose(f) || bad) {
		complain("%s: %s", name, strerror(errno));
		unlink(name);
		return -1;
	}
	return 0;
}

/* The daemon closes this descriptor when it listens, or dies. */
static pid_t spawn(const char *config_name, int ready)
{
	char file[300], print[40];
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	/* the loop takes signals by descriptor; the daemon does not */
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	fcntl(ready, F_SETFD, 0);
	snprintf(file, sizeof(file), "--config-file=%s", config_name);
	snprintf(print, sizeof(print), "--print-address=%d", ready);
	execlp("dbus-daemon", "dbus-daemon", "--nofork", "--nosyslog", file,
	       print, (char *)NULL);
	complain("dbus-daemon: %s", strerror(errno));
	_exit(127);
}

/*
 * Starts a bus at `path`, for root and `user`; returns when it listens. Its end
 * is that of the process pid.
 */
int daemon_start(const char *path, const char *user, pid_t *pid)
{
	char name[] = "/tmp/vmq-vmstate.XXXXXX", line[512];
	const struct passwd *pw = getpwnam(user);
	ssize_t n;
	int fds[2];

	if (!pw) {
		complain("no such user: %s", user);
		return -1;
	}
	if (strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path) ||
	    strpbrk(path, "<>&\"',;%")) {
		complain("%s: not a path for a bus", path);
		return -1;
	}
	if (write_config(name, path, user))
		return -1;
	/* what an earlier one left behind */
	unlink(path);
	if (pipe2(fds, O_CLOEXEC)) {
		complain("pipe: %s", strerror(errno));
		unlink(name);
		return -1;
	}
	*pid = spawn(name, fds[1]);
	close(fds[1]);
	n = *pid < 0 ? -1 : read(fds[0], line, sizeof(line));
	close(fds[0]);
	unlink(name);
	if (n <= 0) {
		complain("no bus at %s", path);
		return -1;
	}
	if (chown(path, pw->pw_uid, (gid_t)-1) || chmod(path, 0600)) {
		complain("%s: %s", path, strerror(errno));
		return -1;
	}
	return 0;
}
