// SPDX-License-Identifier: GPL-2.0
/*
 * org.qemu.VMState1, as QEMU's docs/interop/dbus-vmstate.rst has it.
 *
 * Save must not fail, and must not answer with nothing: QEMU has written by then
 * how many helpers there are, so the destination could not read the rest. A part
 * without data is its header alone.
 */
#include <errno.h>
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "vmstate.h"

#define BUS_NAME	"org.qemu.VMState1"
#define BUS_PATH	"/org/qemu/VMState1"
#define QEMU_MAX	((size_t)1 << 20)	/* DBUS_VMSTATE_SIZE_LIMIT */

#define MAGIC		"VMQPART1"

/* In front of the data of every part, little endian. */
struct part_header {
	char magic[8];
	uint32_t part;
	uint32_t parts;		/* of this state that have data */
	uint64_t session;	/* of the save that they are of */
	uint64_t total;		/* bytes of data in all parts; 0: nothing saved */
};

#define PART_DATA	(QEMU_MAX - sizeof(struct part_header))

struct part {
	struct port *port;
	unsigned int index;
	char id[256];
	sd_bus *bus;
};

/* ---- save ---- */

static void save(struct port *port)
{
	free(port->data);
	port->served = 0;
	if (getrandom(&port->session, sizeof(port->session), 0) < 0)
		port->session++;
	if (kernel_save(port->dev, &port->data, &port->len))
		return;
	if (port->len <= port->n_parts * PART_DATA) {
		note("%s: saved, %zu bytes", port->dev, port->len);
		return;
	}
	complain("%s: %zu bytes do not fit %u parts: nothing is sent; give more with --parts",
		 port->dev, port->len, port->n_parts);
	port->len = 0;
}

static int on_save(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct part *part = userdata;
	struct port *port = part->port;
	uint64_t bit = (uint64_t)1 << part->index;
	struct part_header head = { .magic = MAGIC };
	size_t at = part->index * PART_DATA, len = 0;
	sd_bus_message *reply = NULL;
	uint8_t *out;
	int r;

	(void)error;
	/* the first part that is asked for, or one that is asked for again */
	if (!port->session || port->served & bit)
		save(port);
	port->served |= bit;
	if (port->len > at)
		len = port->len - at < PART_DATA ? port->len - at : PART_DATA;
	head.part = htole32(part->index);
	head.parts = htole32((port->len + PART_DATA - 1) / PART_DATA);
	head.session = htole64(port->session);
	head.total = htole64(port->len);

	r = sd_bus_message_new_method_return(m, &reply);
	if (r >= 0)
		r = sd_bus_message_append_array_space(reply, 'y',
						      sizeof(head) + len,
						      (void **)&out);
	if (r >= 0) {
		memcpy(out, &head, sizeof(head));
		if (len)
			memcpy(out + sizeof(head), port->data + at, len);
		r = sd_bus_send(NULL, reply, NULL);
	}
	sd_bus_message_unref(reply);
	return r;
}

/* ---- load ---- */

static void load_forget(struct port *port)
{
	free(port->loaded);
	port->loaded = NULL;
	port->load_parts = 0;
	port->load_session = 0;
}

/* What is wrong with a part, or NULL. */
static const char *check_part(const struct part *part,
			      const struct part_header *head, size_t len)
{
	uint64_t total = le64toh(head->total), begin, want;

	if (memcmp(head->magic, MAGIC, sizeof(head->magic)))
		return "not from a vmq-vmstate";
	if (le32toh(head->part) != part->index)
		return "a part in the wrong place";
	if (total > PARTS_MAX * PART_DATA ||
	    le32toh(head->parts) != (total + PART_DATA - 1) / PART_DATA)
		return "parts and size do not agree";
	if (le32toh(head->parts) > part->port->n_parts)
		return "more parts than here: give as many with --parts as on the source";
	begin = part->index * PART_DATA;
	want = total > begin ? total - begin : 0;
	if (len != (want < PART_DATA ? want : PART_DATA))
		return "a part is cut short";
	return NULL;
}

/* 1: the state is whole; 0: more parts are to come; -1: no memory. */
static int take_part(const struct part *part, const struct part_header *head,
		     const uint8_t *data, size_t len)
{
	struct port *port = part->port;
	uint64_t total = le64toh(head->total);
	uint64_t all = le32toh(head->parts) == 64 ? UINT64_MAX :
		       ((uint64_t)1 << le32toh(head->parts)) - 1;

	if (port->load_session != head->session ||
	    port->load_len != total)
		load_forget(port);
	if (!port->loaded) {
		port->loaded = malloc(total);
		if (!port->loaded)
			return -1;
		port->load_session = head->session;
		port->load_len = total;
	}
	if (len) {
		memcpy(port->loaded + part->index * PART_DATA, data, len);
		port->load_parts |= (uint64_t)1 << part->index;
	}
	return len && port->load_parts == all;
}

static int load(struct part *part, const void *data, size_t len, char *why,
		size_t room)
{
	struct port *port = part->port;
	struct part_header head;
	const char *bad;
	int ret;

	if (len < sizeof(head)) {
		snprintf(why, room, "%s: a part is cut short", part->id);
		return -1;
	}
	memcpy(&head, data, sizeof(head));
	data = (const uint8_t *)data + sizeof(head);
	len -= sizeof(head);
	bad = check_part(part, &head, len);
	if (bad) {
		snprintf(why, room, "%s: %s", part->id, bad);
		return -1;
	}
	if (!head.total) {
		if (!part->index)
			note("%s: the source has saved nothing of this port",
			     port->dev);
		return 0;
	}
	ret = take_part(part, &head, data, len);
	if (ret < 0)
		snprintf(why, room, "%s: no memory", part->id);
	if (ret <= 0)
		return ret;
	ret = kernel_restore(port->dev, port->loaded, port->load_len, why,
			     room);
	if (!ret)
		note("%s: restored, %zu bytes", port->dev,
		     (size_t)port->load_len);
	load_forget(port);
	return ret;
}

static int on_load(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	char why[512] = "";
	const void *data;
	size_t len;
	int r;

	r = sd_bus_message_read_array(m, 'y', &data, &len);
	if (r < 0)
		return r;
	if (load(userdata, data, len, why, sizeof(why)))
		return sd_bus_error_set(error, SD_BUS_ERROR_FAILED, why);
	return sd_bus_reply_method_return(m, "");
}

/* ---- the bus ---- */

static int get_id(sd_bus *bus, const char *path, const char *interface,
		  const char *property, sd_bus_message *reply, void *userdata,
		  sd_bus_error *error)
{
	const struct part *part = userdata;

	(void)bus, (void)path, (void)interface, (void)property, (void)error;
	return sd_bus_message_append(reply, "s", part->id);
}

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("Id", "s", get_id, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_METHOD("Save", "", "ay", on_save, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("Load", "ay", "", on_load, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END
};

static int on_gone(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct part *part = userdata;

	(void)m, (void)error;
	complain("%s: the bus has gone", part->id);
	return sd_event_exit(sd_bus_get_event(part->bus), 1);
}

static int open_part(struct part *part, sd_event *event, const char *address)
{
	int r;

	r = sd_bus_new(&part->bus);
	if (r >= 0)
		r = sd_bus_set_address(part->bus, address);
	if (r >= 0)
		r = sd_bus_set_bus_client(part->bus, 1);
	if (r >= 0)
		r = sd_bus_start(part->bus);
	if (r >= 0)
		r = sd_bus_add_object_vtable(part->bus, NULL, BUS_PATH,
					     BUS_NAME, vtable, part);
	if (r >= 0)
		r = sd_bus_match_signal(part->bus, NULL, NULL,
					"/org/freedesktop/DBus/Local",
					"org.freedesktop.DBus.Local",
					"Disconnected", on_gone, part);
	if (r >= 0)
		r = sd_bus_request_name(part->bus, BUS_NAME,
					SD_BUS_NAME_QUEUE);
	if (r >= 0)
		r = sd_bus_attach_event(part->bus, event,
					SD_EVENT_PRIORITY_NORMAL);
	if (r < 0)
		complain("bus %s: %s", address, strerror(-r));
	return r < 0 ? -1 : 0;
}

/* Puts a port on the bus: one owner of the name for each part. */
int vmstate_open(struct port *port, sd_event *event, const char *address)
{
	unsigned int i;

	port->part = calloc(port->n_parts, sizeof(*port->part));
	if (!port->part) {
		complain("no memory");
		return -1;
	}
	for (i = 0; i < port->n_parts; i++) {
		struct part *part = &port->part[i];

		part->port = port;
		part->index = i;
		if (i)
			snprintf(part->id, sizeof(part->id), "vmq/%s.%u",
				 port->id, i);
		else
			snprintf(part->id, sizeof(part->id), "vmq/%s",
				 port->id);
		if (open_part(part, event, address))
			return -1;
	}
	return 0;
}

void vmstate_close(struct port *port)
{
	unsigned int i;

	for (i = 0; port->part && i < port->n_parts; i++)
		sd_bus_flush_close_unref(port->part[i].bus);
	free(port->part);
	free(port->data);
	free(port->loaded);
}
