// SPDX-License-Identifier: GPL-2.0
/*
 * The core record: the port itself, as items {le16 type, le16 length, data,
 * padding to 4}. Described in drivers/net/vmq/state.h and state_tlv.c.
 */
#include <stdio.h>
#include <string.h>

#include "attr.h"
#include "out.h"
#include "stream.h"
#include "vmqctl.h"

/* enum vmq_core_item */
enum {
	CORE_UUID = 1,
	CORE_MAC = 2,
	CORE_MTU = 3,
	CORE_FILTERS = 4,
	CORE_MC = 5,
	CORE_RX_MODE = 6,
	CORE_QUEUES = 7,
	CORE_QUEUE_NAME = 8,
	CORE_COUNTERS = 9,
	CORE_RSS = 10,
	CORE_POLICY = 11,
	CORE_QUEUE_PARAMS = 12,
};

#define CORE_SKIPPABLE	0x8000	/* may be passed over by who does not know it */

#define ITEM_TYPE	0
#define ITEM_LENGTH	2
#define ITEM_HDR	4
#define ITEM_ALIGN	4

/* struct vmq_core_filter_wire */
#define FILTER_VID	6
#define FILTER_INDEX	8
#define FILTER_SIZE	12
#define VID_UNTAGGED	0
#define VID_ANY		0xffff

/* struct vmq_core_rss_wire */
#define RSS_KEY		40
#define RSS_FIELDS	8
#define RSS_QUEUES	48
#define RSS_SIZE	50
#define RSS_TABLE	52

/* struct vmq_core_queue_wire, and enum vmq_core_queue_set */
#define QUEUE_INDEX	0
#define QUEUE_SET	2
#define QUEUE_BUFFERS	4
#define QUEUE_LOOKAHEAD	8
#define QUEUE_USECS	12
#define QUEUE_FRAMES	16
#define QUEUE_NAME_LEN	20
#define QUEUE_VM_LEN	21
#define QUEUE_CPUS_LEN	22
#define QUEUE_HDR	24
#define SET_QUEUED		0x04
#define SET_BUFFERS		0x08
#define SET_SINGLE		0x10
#define SET_LOOKAHEAD		0x20
#define SET_MODER		0x40
#define SET_ADAPTIVE		0x80

/* enum vmq_rss_type, in its order */
static const char *const rss_types[RSS_FIELDS] = {
	"ip4", "tcp4", "udp4", "sctp4", "ip6", "tcp6", "udp6", "sctp6",
};

/* struct vmq_core_policy_wire, then of struct vmq_core_range_wire */
#define POLICY_PVID	0
#define POLICY_FLAGS	2
#define POLICY_SIZE	4
#define POLICY_ISOLATE	2
#define POLICY_SPOOFCHK	4
#define RANGE_SIZE	4

/* vmq_core_counter; a newer module may have appended some */
static const char *const counters[] = {
	"rx-packets", "rx-bytes", "tx-packets", "tx-bytes", "tx-drops",
	"multicast", "drops-state", "drops-down", "drops-reader", "drops-full",
	"drops-ext", "drops-nomem", "drops-filter", "tx-ext-drops",
	"drops-vlan", "tx-drops-vlan", "tx-drops-spoofed", "tx-drops-isolated",
};

static void show_uuid(const char *key, const uint8_t *p, size_t len)
{
	(void)len;
	out_uuid(key, p);
}

static void show_mac(const char *key, const uint8_t *p, size_t len)
{
	(void)len;
	out_mac(key, p);
}

static void show_macs(const char *key, const uint8_t *p, size_t len)
{
	size_t i;

	out_list_begin(key);
	for (i = 0; i < len; i += 6)
		out_mac(NULL, p + i);
	out_list_end();
}

static void show_u32(const char *key, const uint8_t *p, size_t len)
{
	(void)len;
	out_uint(key, get_le32(p));
}

static void show_rx_mode(const char *key, const uint8_t *p, size_t len)
{
	uint32_t mode = get_le32(p);

	(void)len;
	out_list_begin(key);
	if (mode & 1)
		out_cstr(NULL, "promisc");
	if (mode & 2)
		out_cstr(NULL, "allmulti");
	if (mode & ~3U)
		out_hex(NULL, mode & ~3U, 8);
	out_list_end();
}

static void show_filters(const char *key, const uint8_t *p, size_t len)
{
	uint16_t vid;
	size_t i;

	out_objs_begin(key);
	for (i = 0; i < len; i += FILTER_SIZE) {
		vid = get_le16(p + i + FILTER_VID);
		out_obj_begin(NULL);
		out_mac("mac", p + i);
		if (vid == VID_UNTAGGED)
			out_flag("untagged");
		else if (vid != VID_ANY)
			out_uint("vlan", vid);
		out_uint("queue-index", get_le16(p + i + FILTER_INDEX));
		out_obj_end();
	}
	out_objs_end();
}

static void show_policy(const char *key, const uint8_t *p, size_t len)
{
	uint16_t flags, first, last;
	char range[16];
	size_t i;

	flags = get_le16(p + POLICY_FLAGS);
	out_obj_begin(key);
	if (get_le16(p + POLICY_PVID))
		out_uint("vlan", get_le16(p + POLICY_PVID));
	if (len > POLICY_SIZE) {
		out_list_begin("trunk");
		for (i = POLICY_SIZE; i < len; i += RANGE_SIZE) {
			first = get_le16(p + i);
			last = get_le16(p + i + 2);
			snprintf(range, sizeof(range),
				 first == last ? "%u" : "%u-%u", first, last);
			out_cstr(NULL, range);
		}
		out_list_end();
	}
	out_bool("isolate", flags & POLICY_ISOLATE);
	out_bool("spoofchk", flags & POLICY_SPOOFCHK);
	out_obj_end();
}

static void show_counters(const char *key, const uint8_t *p, size_t len)
{
	char number[32];
	size_t i;

	out_obj_begin(key);
	for (i = 0; i < len / 8; i++) {
		snprintf(number, sizeof(number), "counter-%zu", i);
		out_uint(i < ARRAY_SIZE(counters) ? counters[i] : number,
			 get_le64(p + i * 8));
	}
	out_obj_end();
}

/* Fields in the letters of ethtool(8). */
static void show_rss(const char *key, const uint8_t *p, size_t len)
{
	static const char letters[] = "sdfn";
	char text[sizeof(letters)];
	size_t i, j, n;

	out_obj_begin(key);
	out_bytes("key", p, RSS_KEY);
	out_obj_begin("fields");
	for (i = 0; i < RSS_FIELDS; i++) {
		for (j = 0, n = 0; j < strlen(letters); j++)
			if (p[RSS_KEY + i] & 1 << j)
				text[n++] = letters[j];
		text[n] = '\0';
		out_cstr(rss_types[i], text);
	}
	out_obj_end();
	out_uint("queues", get_le16(p + RSS_QUEUES));
	out_list_begin("table");
	for (i = RSS_TABLE; i < len; i += 2)
		out_uint(NULL, get_le16(p + i));
	out_list_end();
	out_obj_end();
}

static bool rss_fits(const uint8_t *p, size_t len)
{
	return len >= RSS_TABLE &&
	       len == RSS_TABLE + 2 * (size_t)get_le16(p + RSS_SIZE);
}

static bool policy_fits(const uint8_t *p, size_t len)
{
	(void)p;
	return len >= POLICY_SIZE;
}

static size_t queue_size(const uint8_t *p)
{
	return QUEUE_HDR + p[QUEUE_NAME_LEN] + p[QUEUE_VM_LEN] +
	       p[QUEUE_CPUS_LEN];
}

static void show_queue_text(const char *key, const uint8_t **p, size_t len)
{
	if (len)
		out_str(key, (const char *)*p, len);
	*p += len;
}

static void show_queue(const uint8_t *p)
{
	unsigned int set = get_le16(p + QUEUE_SET);
	const uint8_t *text = p + QUEUE_HDR;

	out_obj_begin(NULL);
	out_uint("queue-index", get_le16(p + QUEUE_INDEX));
	show_queue_text("name", &text, p[QUEUE_NAME_LEN]);
	show_queue_text("vm", &text, p[QUEUE_VM_LEN]);
	if (set & SET_QUEUED)
		out_str("cpus", (const char *)text, p[QUEUE_CPUS_LEN]);
	if (set & SET_BUFFERS)
		out_uint("buffers", get_le32(p + QUEUE_BUFFERS));
	if (set & SET_SINGLE)
		out_flag("per-queue-delivery");
	if (set & SET_LOOKAHEAD)
		out_uint("lookahead", get_le32(p + QUEUE_LOOKAHEAD));
	if (set & SET_MODER) {
		out_uint("rx-usecs", get_le32(p + QUEUE_USECS));
		out_uint("rx-frames", get_le32(p + QUEUE_FRAMES));
	}
	if (set & SET_ADAPTIVE)
		out_flag("adaptive");
	out_obj_end();
}

static void show_queues(const char *key, const uint8_t *p, size_t len)
{
	size_t pos;

	out_objs_begin(key);
	for (pos = 0; pos < len; pos += queue_size(p + pos))
		show_queue(p + pos);
	out_objs_end();
}

static bool queues_fit(const uint8_t *p, size_t len)
{
	size_t pos;

	for (pos = 0; pos < len; pos += queue_size(p + pos))
		if (len - pos < QUEUE_HDR || len - pos < queue_size(p + pos))
			return false;
	return true;
}

static void show_text(const char *key, const uint8_t *p, size_t len)
{
	out_str(key, (const char *)p, len);
}

/* What items are called, and how long they are. */
static const struct item {
	const char *name;
	size_t unit;
	bool many;		/* of the units */
	void (*show)(const char *key, const uint8_t *p, size_t len);
	bool (*fits)(const uint8_t *p, size_t len);	/* NULL: it does */
} items[] = {
	[CORE_UUID] = { "uuid", 16, false, show_uuid },
	[CORE_MAC] = { "mac", 6, false, show_mac },
	[CORE_MTU] = { "mtu", 4, false, show_u32 },
	[CORE_FILTERS] = { "filter", FILTER_SIZE, true, show_filters },
	[CORE_MC] = { "multicast", 6, true, show_macs },
	[CORE_RX_MODE] = { "rx-mode", 4, false, show_rx_mode },
	[CORE_QUEUES] = { "queues", 4, false, show_u32 },
	[CORE_QUEUE_NAME] = { "queue-name", 1, true, show_text },
	[CORE_COUNTERS] = { "counters", 8, true, show_counters },
	[CORE_RSS] = { "rss", 2, true, show_rss, rss_fits },
	[CORE_POLICY] = { "policy", POLICY_SIZE, true, show_policy,
			  policy_fits },
	[CORE_QUEUE_PARAMS] = { "queue-settings", 1, true, show_queues,
				queues_fit },
};

static const struct item *find_item(uint16_t type)
{
	return type < ARRAY_SIZE(items) && items[type].name ? &items[type] :
							      NULL;
}

/*
 * The item at *pos, which moves past it and its padding; NULL at the end, or if
 * it is cut short or its padding is not zero.
 */
static const uint8_t *next_item(const uint8_t *data, size_t len, size_t *pos,
				uint16_t *type, size_t *size)
{
	const uint8_t *p = data + *pos;
	size_t room, left = len - *pos;

	if (left < ITEM_HDR)
		return NULL;
	*type = get_le16(p + ITEM_TYPE);
	*size = get_le16(p + ITEM_LENGTH);
	room = (*size + ITEM_ALIGN - 1) & ~(size_t)(ITEM_ALIGN - 1);
	if (room > left - ITEM_HDR)
		return NULL;
	*pos += ITEM_HDR + room;
	p += ITEM_HDR;
	for (left = *size; left < room; left++)
		if (p[left])
			return NULL;
	return p;
}

/* Shows the items that are known; what is wrong, or NULL. */
static const char *show_known(const uint8_t *data, size_t len, size_t *at,
			      unsigned int *unknown)
{
	bool seen[ARRAY_SIZE(items)] = { false };
	const struct item *item;
	const uint8_t *p;
	size_t pos, size;
	uint16_t type;

	for (pos = 0; pos < len; ) {
		*at = pos;
		p = next_item(data, len, &pos, &type, &size);
		if (!p)
			return "an item of the core record is cut short or badly padded";
		item = find_item(type);
		if (!item && !(type & CORE_SKIPPABLE))
			return "an unknown item of the core record";
		if (!item) {
			++*unknown;
			continue;
		}
		if (seen[type])
			return "an item of the core record is there twice";
		seen[type] = true;
		if ((item->many ? size % item->unit : size != item->unit) ||
		    (item->fits && !item->fits(p, size)))
			return "an item of the core record has the wrong length";
		item->show(item->name, p, size);
	}
	return NULL;
}

void stream_show_core(const uint8_t *data, size_t len, struct data_error *err)
{
	unsigned int unknown = 0;
	const uint8_t *p;
	size_t pos, size;
	uint16_t type;

	err->what = show_known(data, len, &err->offset, &unknown);
	if (err->what || !unknown)
		return;

	out_objs_begin("item");
	for (pos = 0; (p = next_item(data, len, &pos, &type, &size)); ) {
		if (find_item(type))
			continue;
		out_obj_begin(NULL);
		out_uint("type", type);
		out_uint("length", size);
		out_bytes("data", p, size);
		out_obj_end();
	}
	out_objs_end();
}
