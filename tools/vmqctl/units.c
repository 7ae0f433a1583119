// SPDX-License-Identifier: GPL-2.0
/*
 * Rates and sizes with the units that tc(8) has. JSON has plain numbers: bits a
 * second, and bytes.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "out.h"
#include "units.h"
#include "vmqctl.h"

struct unit {
	const char *name;
	double scale;
};

/* As in "UNITS" of tc(8); a number alone is bits a second. */
static const struct unit rates[] = {
	{ "", 1 },
	{ "bit", 1 },
	{ "kbit", 1e3 },
	{ "mbit", 1e6 },
	{ "gbit", 1e9 },
	{ "tbit", 1e12 },
	{ "kibit", 0x1p10 },
	{ "mibit", 0x1p20 },
	{ "gibit", 0x1p30 },
	{ "tibit", 0x1p40 },
	{ "bps", 8 },
	{ "kbps", 8e3 },
	{ "mbps", 8e6 },
	{ "gbps", 8e9 },
	{ "tbps", 8e12 },
	{ "kibps", 8 * 0x1p10 },
	{ "mibps", 8 * 0x1p20 },
	{ "gibps", 8 * 0x1p30 },
	{ "tibps", 8 * 0x1p40 },
};

/* A number alone is bytes. */
static const struct unit sizes[] = {
	{ "", 1 },
	{ "b", 1 },
	{ "k", 0x1p10 },
	{ "kb", 0x1p10 },
	{ "m", 0x1p20 },
	{ "mb", 0x1p20 },
	{ "g", 0x1p30 },
	{ "gb", 0x1p30 },
	{ "kbit", 0x1p10 / 8 },
	{ "mbit", 0x1p20 / 8 },
	{ "gbit", 0x1p30 / 8 },
};

static const struct unit counts[] = {
	{ "", 1 },
	{ "k", 1e3 },
	{ "m", 1e6 },
	{ "g", 1e9 },
};

/* A number with decimals and a unit; to the nearest whole. */
static int parse_unit(const char *what, const char *s, const struct unit *unit,
		      size_t n, uint64_t max, uint64_t *out)
{
	const char *p = s;
	double v;
	size_t i;
	char *end;

	/* not what else strtod takes: signs, exponents, names */
	while (isdigit((unsigned char)*p) || *p == '.')
		p++;
	v = strtod(s, &end);
	if (p == s || !isdigit((unsigned char)*s) || end != p)
		return usage_error("%s: \"%s\" is not a number with a unit",
				   what, s);
	for (i = 0; i < n; i++)
		if (!strcasecmp(p, unit[i].name))
			break;
	if (i == n)
		return usage_error("%s: unknown unit \"%s\"", what, p);
	v = v * unit[i].scale + 0.5;
	if (v >= (double)max + 1)
		return usage_error("%s: %s is more than %" PRIu64, what, s,
				   max);
	*out = v;
	return VMQCTL_OK;
}

/* Bits a second; "none" is 0. */
int parse_rate(const char *what, const char *s, uint64_t *bits)
{
	*bits = 0;
	if (!strcmp(s, "none"))
		return VMQCTL_OK;
	/* doubles are exact up to here, and no card comes near it */
	return parse_unit(what, s, rates, ARRAY_SIZE(rates), 1ULL << 53, bits);
}

/* Bytes. */
int parse_size(const char *what, const char *s, uint64_t max, uint64_t *bytes)
{
	return parse_unit(what, s, sizes, ARRAY_SIZE(sizes), max, bytes);
}

/* Packets; "none" is 0. */
int parse_count(const char *what, const char *s, uint64_t max, uint64_t *n)
{
	*n = 0;
	if (!strcmp(s, "none"))
		return VMQCTL_OK;
	return parse_unit(what, s, counts, ARRAY_SIZE(counts), max, n);
}

/* The largest unit that leaves a whole number, in text. */
void out_rate(const char *key, uint64_t bits)
{
	static const char *const names[] = { "bit", "Kbit", "Mbit", "Gbit",
					     "Tbit" };
	char text[40];
	size_t i = 0;

	if (out_is_json()) {
		out_uint(key, bits);
		return;
	}
	while (bits && !(bits % 1000) && i < ARRAY_SIZE(names) - 1) {
		bits /= 1000;
		i++;
	}
	snprintf(text, sizeof(text), "%" PRIu64 "%s", bits, names[i]);
	out_cstr(key, text);
}

void out_size(const char *key, uint64_t bytes)
{
	static const char *const names[] = { "b", "Kb", "Mb", "Gb" };
	char text[40];
	size_t i = 0;

	if (out_is_json()) {
		out_uint(key, bytes);
		return;
	}
	while (bytes && !(bytes % 1024) && i < ARRAY_SIZE(names) - 1) {
		bytes /= 1024;
		i++;
	}
	snprintf(text, sizeof(text), "%" PRIu64 "%s", bytes, names[i]);
	out_cstr(key, text);
}
