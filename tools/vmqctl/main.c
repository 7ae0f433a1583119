// SPDX-License-Identifier: GPL-2.0
/*
 * Options, and which object and command is meant.
 */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nl.h"
#include "out.h"
#include "vmqctl.h"

#ifndef VMQCTL_VERSION
#define VMQCTL_VERSION "unknown"
#endif

static const char usage[] =
	"Usage: vmqctl [OPTIONS] OBJECT COMMAND\n"
	"       vmqctl OBJECT help\n"
	"where  OBJECT := { adapter | queue | filter | port | ext | acl | guard | meter |\n"
	"                   explain | stream | monitor }\n"
	"       OPTIONS := { -j[son] | -p[retty] | -V[ersion] | -h[elp] }\n";

static const struct object *const objects[] = {
	&adapter_object,
	&queue_object,
	&filter_object,
	&port_object,
	&vf_object,
	&ext_object,
	&acl_object,
	&guard_object,
	&meter_object,
	&explain_object,
	&stream_object,
	&monitor_object,
};

static const struct object *current;	/* what usage_error explains */

/* "vmqctl: " and a message, to standard error. */
void complain(const char *fmt, ...)
{
	va_list ap;

	fputs("vmqctl: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

int usage_error(const char *fmt, ...)
{
	va_list ap;

	fputs("vmqctl: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\n%s", current ? current->usage : usage);
	return VMQCTL_USAGE;
}

static int print_usage(const char *text)
{
	fputs(text, stdout);
	return VMQCTL_OK;
}

static const struct object *find_object(const char *word)
{
	const struct object *found = NULL;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(objects); i++) {
		if (!strcmp(word, objects[i]->name))
			return objects[i];
		if (!is_abbreviation(word, objects[i]->name))
			continue;
		if (found) {
			usage_error("\"%s\" may be %s or %s", word, found->name,
				    objects[i]->name);
			return NULL;
		}
		found = objects[i];
	}
	if (!found)
		usage_error("unknown object \"%s\"", word);
	return found;
}

static const struct command *find_command(const struct object *object,
					  const char *word)
{
	const struct command *c, *found = NULL;

	for (c = object->commands; c && c->name; c++) {
		if (!strcmp(word, c->name))
			return c;
		if (!is_abbreviation(word, c->name))
			continue;
		if (found) {
			usage_error("\"%s\" may be %s or %s", word, found->name,
				    c->name);
			return NULL;
		}
		found = c;
	}
	if (!found)
		usage_error("unknown command \"%s\"", word);
	return found;
}

static int run_object(struct args *args)
{
	const struct command *command;
	const struct object *object;

	object = find_object(*args->argv);
	if (!object)
		return VMQCTL_USAGE;
	current = object;
	args->argc--;
	args->argv++;

	if (args->argc && !strcmp(*args->argv, "help"))
		return print_usage(object->usage);
	if (!object->commands)
		return object->run(args);
	if (!args->argc)
		return object->run ? object->run(args) :
				     usage_error("a command is missing");
	command = find_command(object, *args->argv);
	if (!command)
		return VMQCTL_USAGE;
	args->argc--;
	args->argv++;
	return command->run(args);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "pretty", no_argument, NULL, 'p' },
		{ "Version", no_argument, NULL, 'V' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	bool json = false, pretty = false;
	struct args args;
	int opt, status;

	/* thousands of objects by few writes; who waits for a line has it flushed */
	if (!isatty(STDOUT_FILENO))
		setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	opterr = 0;
	while ((opt = getopt_long(argc, argv, "+jpVh", options, NULL)) != -1) {
		switch (opt) {
		case 'p':
			pretty = true;
			/* fallthrough */
		case 'j':
			json = true;
			break;
		case 'V':
			puts("vmqctl " VMQCTL_VERSION);
			return out_finish(VMQCTL_OK);
		case 'h':
			print_usage(usage);
			return out_finish(VMQCTL_OK);
		default:
			return usage_error("unknown option \"%s\"",
					   argv[optind - 1]);
		}
	}
	out_init(json, pretty);

	args.argc = argc - optind;
	args.argv = argv + optind;
	if (!args.argc)
		return usage_error("an object is missing");

	if (!strcmp(*args.argv, "help"))
		status = print_usage(usage);
	else
		status = run_object(&args);
	nl_close();
	return out_finish(status);
}
