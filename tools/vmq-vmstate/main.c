// SPDX-License-Identifier: GPL-2.0
/*
 * vmq-vmstate: the command line, and the loop.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "vmstate.h"

static struct options {
	const char *address;
	const char *path;
	const char *user;
	unsigned int parts;
	bool quiet;
} opt = {
	.user = "root",
	.parts = PARTS_DEFAULT,
};

static struct port ports[PORTS_MAX];
static unsigned int n_ports;

void complain(const char *fmt, ...)
{
	va_list args;

	fputs("vmq-vmstate: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
}

void note(const char *fmt, ...)
{
	va_list args;

	if (opt.quiet)
		return;
	fputs("vmq-vmstate: ", stdout);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

static const char usage[] =
"Usage: vmq-vmstate { --private PATH [ --user USER ] | --bus ADDRESS }\n"
"                   [ --parts N ] [ --quiet ] PORT[=ID] ...\n"
"\n"
"Carries the state of ports in QEMU's migration stream, for\n"
"  qemu ... -object dbus-vmstate,id=vmq,addr=unix:path=PATH\n"
"\n"
"  --private PATH   start a bus of its own, with its socket there\n"
"  --user USER      who may use that bus besides root (QEMU's user)\n"
"  --bus ADDRESS    use this bus, such as unix:path=/run/vm1/bus\n"
"  --parts N        most parts of 1 MiB that a port's state is sent in, 1 to 64;\n"
"                   the same on both hosts (default: 4)\n"
"  --quiet          say nothing unless something fails\n"
"  PORT[=ID]        a port, and what both hosts call it (default: its name)\n"
"\n"
"Exits with 0 when it is told to end (SIGTERM, SIGINT), with 1 when kernel,\n"
"permission, port or bus are missing, with 2 when the command line is wrong.\n";

static int usage_error(const char *what, const char *word)
{
	complain("%s%s%s", what, word ? ": " : "", word ? word : "");
	fputs("Try vmq-vmstate --help.\n", stderr);
	return 2;
}

static int parse_options(int argc, char **argv)
{
	static const struct option options[] = {
		{ "private", required_argument, NULL, 'p' },
		{ "user", required_argument, NULL, 'u' },
		{ "bus", required_argument, NULL, 'b' },
		{ "parts", required_argument, NULL, 'n' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 }
	};
	char *end;
	int c;

	while ((c = getopt_long(argc, argv, "p:u:b:n:qhV", options, NULL)) >=
	       0) {
		switch (c) {
		case 'p':
			opt.path = optarg;
			break;
		case 'u':
			opt.user = optarg;
			break;
		case 'b':
			opt.address = optarg;
			break;
		case 'n':
			opt.parts = strtoul(optarg, &end, 10);
			if (*end || !opt.parts || opt.parts > PARTS_MAX)
				return usage_error("--parts is 1 to 64, not",
						   optarg);
			break;
		case 'q':
			opt.quiet = true;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		case 'V':
			puts("vmq-vmstate " VMQ_VERSION);
			exit(0);
		default:
			fputs("Try vmq-vmstate --help.\n", stderr);
			return 2;
		}
	}
	if (!opt.path == !opt.address)
		return usage_error("give either --private or --bus", NULL);
	return 0;
}

static int parse_port(char *word)
{
	char *id = strchr(word, '=');
	unsigned int i;

	if (n_ports == PORTS_MAX)
		return usage_error("too many ports", NULL);
	if (id)
		*id++ = 0;
	else
		id = word;
	if (!*word || !*id || strlen(id) > 200 || strchr(id, ','))
		return usage_error("not a port or its id", word);
	for (i = 0; i < n_ports; i++)
		if (!strcmp(ports[i].dev, word) || !strcmp(ports[i].id, id))
			return usage_error("given twice", word);
	ports[n_ports++] = (struct port){
		.dev = word, .id = id, .n_parts = opt.parts,
	};
	return 0;
}

static int on_child(sd_event_source *s, const siginfo_t *si, void *userdata)
{
	(void)si, (void)userdata;
	complain("the bus daemon has ended");
	return sd_event_exit(sd_event_source_get_event(s), 1);
}

/* Signals are the loop's; the bus daemon is its child. */
static sd_event *make_loop(void)
{
	sd_event *event = NULL;
	sigset_t set;
	int r;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	r = sd_event_new(&event);
	if (r >= 0)
		r = sd_event_add_signal(event, NULL, SIGTERM, NULL, NULL);
	if (r >= 0)
		r = sd_event_add_signal(event, NULL, SIGINT, NULL, NULL);
	if (r >= 0)
		return event;
	complain("%s", strerror(-r));
	return NULL;
}

static int check_kernel(void)
{
	unsigned int i;

	if (kernel_open() || kernel_check_permission())
		return -1;
	for (i = 0; i < n_ports; i++)
		if (kernel_check_port(ports[i].dev))
			return -1;
	return 0;
}

static int run(sd_event *event, pid_t *daemon)
{
	char address[512];
	unsigned int i;
	int r;

	if (opt.path) {
		if (daemon_start(opt.path, opt.user, daemon))
			return 1;
		r = sd_event_add_child(event, NULL, *daemon, WEXITED, on_child,
				       NULL);
		if (r < 0) {
			complain("%s", strerror(-r));
			return 1;
		}
		snprintf(address, sizeof(address), "unix:path=%s", opt.path);
	} else {
		snprintf(address, sizeof(address), "%s", opt.address);
	}
	for (i = 0; i < n_ports; i++)
		if (vmstate_open(&ports[i], event, address))
			return 1;
	sd_notify(0, "READY=1");
	note("ready: %u port%s on %s", n_ports, n_ports == 1 ? "" : "s",
	     address);
	r = sd_event_loop(event);
	return r < 0 ? 1 : r;
}

int main(int argc, char **argv)
{
	pid_t daemon = 0;
	sd_event *event;
	unsigned int i;
	int ret;

	ret = parse_options(argc, argv);
	for (; !ret && optind < argc; optind++)
		ret = parse_port(argv[optind]);
	if (!ret && !n_ports)
		ret = usage_error("which port?", NULL);
	if (ret)
		return ret;
	if (check_kernel())
		return 1;
	event = make_loop();
	ret = event ? run(event, &daemon) : 1;
	for (i = 0; i < n_ports; i++)
		vmstate_close(&ports[i]);
	if (daemon > 0) {
		kill(daemon, SIGTERM);
		waitpid(daemon, NULL, 0);
		unlink(opt.path);
	}
	sd_event_unref(event);
	return ret;
}
