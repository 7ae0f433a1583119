// SPDX-License-Identifier: GPL-2.0
/*
 * Words of the command line: keywords with their values, and numbers.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "vmqctl.h"

/* True if word is the beginning of whole, or all of it. */
bool is_abbreviation(const char *word, const char *whole)
{
	size_t len = strlen(word);

	return len && !strncmp(word, whole, len);
}

static const struct keyword *find_keyword(const char *word,
					  const struct keyword *kw, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!strcmp(word, kw[i].name))
			return &kw[i];
	return NULL;
}

/*
 * Reads "keyword value" pairs, in any order, up to the end or to the first word
 * that is none of the keywords. Values not given are NULL.
 */
int args_parse_some(struct args *args, const struct keyword *kw, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		*kw[i].value = NULL;

	while (args->argc) {
		const struct keyword *k = find_keyword(*args->argv, kw, n);

		if (!k)
			break;
		if (args->argc < 2)
			return usage_error("\"%s\" needs a value", k->name);
		if (*k->value)
			return usage_error("\"%s\" is given twice", k->name);
		*k->value = args->argv[1];
		args->argc -= 2;
		args->argv += 2;
	}
	return VMQCTL_OK;
}

/* Nothing may be left of the command line. */
int args_end(struct args *args)
{
	if (args->argc)
		return usage_error("unknown word \"%s\"", *args->argv);
	return VMQCTL_OK;
}

/* The same where nothing else may come. */
int args_parse(struct args *args, const struct keyword *kw, size_t n)
{
	int err = args_parse_some(args, kw, n);

	return err ? err : args_end(args);
}

/* "dev DEV" or nothing. */
int args_dev(struct args *args, const char **dev)
{
	const struct keyword kw = { "dev", dev };

	return args_parse(args, &kw, 1);
}

/* Takes the next word if it is word, or an abbreviation of it. */
bool args_take(struct args *args, const char *word)
{
	if (!args->argc || !is_abbreviation(*args->argv, word))
		return false;
	args->argc--;
	args->argv++;
	return true;
}

/* A number from 0 to max, decimal or with 0x; what names it in the message. */
int parse_uint(const char *what, const char *s, uint64_t max, uint64_t *out)
{
	unsigned long long v;
	int base = 10;
	char *end;

	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X') &&
	    isxdigit((unsigned char)s[2]))
		base = 16;

	errno = 0;
	v = strtoull(s, &end, base);
	if (!isdigit((unsigned char)*s) || *end)
		return usage_error("%s: \"%s\" is not a number", what, s);
	if (errno || v > max)
		return usage_error("%s: %s is more than %" PRIu64, what, s,
				   max);
	*out = v;
	return VMQCTL_OK;
}

/* An Ethernet address, 6 bytes as hexadecimal numbers. */
int parse_mac(const char *what, const char *s, uint8_t *mac)
{
	const char *p = s;
	unsigned long v;
	char *end;
	int i;

	for (i = 0; i < 6; i++, p = end + 1) {
		if (!isxdigit((unsigned char)*p))
			break;
		v = strtoul(p, &end, 16);
		if (end - p > 2 || *end != (i < 5 ? ':' : '\0'))
			break;
		mac[i] = v;
	}
	if (i < 6)
		return usage_error("%s: \"%s\" is not a MAC address", what, s);
	return VMQCTL_OK;
}
