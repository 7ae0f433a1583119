/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vmqctl: shows and changes virtual machine queues.
 *
 * main.c finds the object and the command, the object's own file parses the
 * rest (args.c), talks to the kernel (nl.c) and prints what came back (attr.c
 * names the attributes, out.c writes them as text or JSON).
 */
#ifndef _VMQCTL_H
#define _VMQCTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define __printf(a, b)	__attribute__((format(printf, a, b)))

/* What vmqctl exits with, and what every command returns. */
enum {
	VMQCTL_OK,
	VMQCTL_FAILED,		/* the kernel said no, or a stream is damaged */
	VMQCTL_USAGE,
};

/* The words of the command line that are still to be read. */
struct args {
	int argc;
	char **argv;
};

struct command {
	const char *name;
	int (*run)(struct args *args);
};

struct object {
	const char *name;
	const char *usage;
	const struct command *commands;
	/* run when there is no command; NULL: a command is required */
	int (*run)(struct args *args);
};

extern const struct object adapter_object;
extern const struct object queue_object;
extern const struct object filter_object;
extern const struct object port_object;
extern const struct object vf_object;
extern const struct object stream_object;
extern const struct object ext_object;
extern const struct object acl_object;
extern const struct object guard_object;
extern const struct object meter_object;
extern const struct object explain_object;
extern const struct object monitor_object;

/* ---- main.c ---- */

__printf(1, 2) int usage_error(const char *fmt, ...);
__printf(1, 2) void complain(const char *fmt, ...);

/* ---- args.c ---- */

/* A "keyword value" pair that a command takes. */
struct keyword {
	const char *name;
	const char **value;
};

int args_parse(struct args *args, const struct keyword *kw, size_t n);
int args_parse_some(struct args *args, const struct keyword *kw, size_t n);
int args_end(struct args *args);
int args_dev(struct args *args, const char **dev);
bool args_take(struct args *args, const char *word);
bool is_abbreviation(const char *word, const char *whole);
int parse_mac(const char *what, const char *s, uint8_t *mac);
int parse_uint(const char *what, const char *s, uint64_t max, uint64_t *out);

/* ---- port_groups.c ---- */

int port_groups(struct args *args);

/* ---- port_stream.c ---- */

int port_save(struct args *args);
int port_restore(struct args *args);

#endif /* _VMQCTL_H */
