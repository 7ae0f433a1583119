/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vmq-vmstate: carries the state of ports in QEMU's own migration stream.
 *
 * main.c reads the command line and runs the loop, daemon.c starts a bus of its
 * own where one is wanted, vmstate.c is what QEMU calls, kernel.c saves and
 * restores ports.
 *
 * QEMU's dbus-vmstate asks every owner of the bus name org.qemu.VMState1 for its
 * Id, and for at most 1 MiB of data. So a port is several owners, each with a
 * connection of its own: the parts of its state.
 */
#ifndef _VMQ_VMSTATE_H
#define _VMQ_VMSTATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#define __printf(a, b)	__attribute__((format(printf, a, b)))

/* ---- main.c ---- */

__printf(1, 2) void complain(const char *fmt, ...);
__printf(1, 2) void note(const char *fmt, ...);

/* ---- kernel.c: each says itself what went wrong ---- */

int kernel_open(void);
int kernel_check_permission(void);
int kernel_check_port(const char *dev);
int kernel_save(const char *dev, uint8_t **data, size_t *len);
int kernel_restore(const char *dev, const uint8_t *data, size_t len,
		   char *why, size_t room);

/* ---- daemon.c ---- */

int daemon_start(const char *path, const char *user, pid_t *pid);

/* ---- vmstate.c ---- */

#define PORTS_MAX	64
#define PARTS_MAX	64
#define PARTS_DEFAULT	4

struct part;

/* One port, and what is known of its state. */
struct port {
	const char *dev;
	const char *id;
	unsigned int n_parts;
	struct part *part;
	/* the save, until every part of it was asked for again */
	uint8_t *data;
	size_t len;
	uint64_t session;
	uint64_t served;	/* bit per part */
	/* the load, as far as it came */
	uint8_t *loaded;
	uint64_t load_session;
	uint64_t load_len;
	uint64_t load_parts;	/* bit per part */
};

int vmstate_open(struct port *port, sd_event *event, const char *address);
void vmstate_close(struct port *port);

#endif /* _VMQ_VMSTATE_H */
