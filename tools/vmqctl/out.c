// SPDX-License-Identifier: GPL-2.0
/*
 * Output, as text or as JSON, of the same data.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "out.h"
#include "vmqctl.h"

/* One thread writes, so there is nothing to lock for each character. */
#define putchar(c)		putchar_unlocked(c)
#define fputs(s, stream)	fputs_unlocked(s, stream)
#define fwrite(p, n, m, stream)	fwrite_unlocked(p, n, m, stream)

#define OUT_DEPTH_MAX	8
#define OUT_INDENT	4
#define OUT_BUFFER	(1 << 16)

enum level_kind {
	LEVEL_OBJ,
	LEVEL_LIST,
	LEVEL_OBJS,
};

struct level {
	enum level_kind kind;
	const char *key;
	unsigned int items;
};

static struct {
	bool json;
	bool pretty;
	bool bare;		/* no array around the objects */
	bool array;		/* an empty array where there are no objects */
	bool opened;		/* the array is open */
	unsigned int depth;
	unsigned int indent;	/* text: objects around this one */
	bool line_open;		/* text: the line has something on it */
	struct level level[OUT_DEPTH_MAX];
} out;

void out_init(bool json, bool pretty)
{
	/* glibc takes its own size, a page, where it is to allocate the buffer */
	static char buffer[OUT_BUFFER];

	/* a list of thousands is not written by the page */
	if (!isatty(STDOUT_FILENO))
		setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	out.json = json;
	out.pretty = pretty;
}

void out_bare(void)
{
	out.bare = true;
}

void out_array(void)
{
	out.array = true;
}

bool out_is_json(void)
{
	return out.json;
}

static struct level *top(void)
{
	return out.depth ? &out.level[out.depth - 1] : NULL;
}

/* Bytes of the UTF-8 character at s, 0 if it is none. */
static size_t utf8_len(const unsigned char *s, size_t len)
{
	uint32_t min, c;
	size_t n, i;

	if (*s < 0x80)
		return 1;
	if (*s >= 0xc2 && *s <= 0xdf) {
		n = 2;
		min = 0x80;
		c = *s & 0x1f;
	} else if (*s >= 0xe0 && *s <= 0xef) {
		n = 3;
		min = 0x800;
		c = *s & 0x0f;
	} else if (*s >= 0xf0 && *s <= 0xf4) {
		n = 4;
		min = 0x10000;
		c = *s & 0x07;
	} else {
		return 0;
	}
	if (n > len)
		return 0;
	for (i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < min || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	return n;
}

/* Bytes that stand for themselves in JSON; written at once, for that is quick. */
static size_t plain_len(const unsigned char *s, size_t len)
{
	size_t n;

	for (n = 0; n < len; n++)
		if (s[n] < 0x20 || s[n] >= 0x7f || s[n] == '"' ||
		    s[n] == '\\')
			break;
	return n;
}

/* A string as JSON wants it; what is not UTF-8 becomes U+FFFD. */
static void put_quoted(const char *str, size_t len)
{
	const unsigned char *s = (const unsigned char *)str;

	putchar('"');
	while (len) {
		size_t plain = plain_len(s, len), n;

		fwrite(s, 1, plain, stdout);
		s += plain;
		len -= plain;
		if (!len)
			break;
		n = utf8_len(s, len);
		if (!n) {
			fputs("\\ufffd", stdout);
			n = 1;
		} else if (*s == '"' || *s == '\\') {
			printf("\\%c", *s);
		} else if (*s < 0x20 || *s == 0x7f) {
			printf("\\u%04x", *s);
		} else {
			fwrite(s, 1, n, stdout);
		}
		s += n;
		len -= n;
	}
	putchar('"');
}

/* Text quotes only what would not be read back as one word. */
static void put_word(const char *str, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if ((unsigned char)str[i] <= ' ' || str[i] == '"' ||
		    str[i] == '\\' || (unsigned char)str[i] >= 0x7f)
			break;
	if (!len || i < len)
		put_quoted(str, len);
	else
		fwrite(str, 1, len, stdout);
}

static void put_indent(unsigned int columns)
{
	while (columns--)
		putchar(' ');
}

static void json_newline(void)
{
	if (!out.pretty)
		return;
	putchar('\n');
	put_indent((out.depth + (out.bare ? 0 : 1)) * OUT_INDENT);
}

static void text_newline(void)
{
	if (out.line_open)
		putchar('\n');
	out.line_open = false;
}

/* What comes before every value: separator, place, key. */
static void put_key(const char *key)
{
	struct level *l = top();

	if (out.json) {
		if (l && l->items++)
			putchar(',');
		if (l)
			json_newline();
		if (key) {
			put_quoted(key, strlen(key));
			putchar(':');
			if (out.pretty)
				putchar(' ');
		}
		return;
	}

	if (l && l->kind == LEVEL_LIST) {
		if (l->items++)
			putchar(',');
		return;
	}
	if (out.line_open)
		putchar(' ');
	else
		put_indent(out.indent * OUT_INDENT);
	out.line_open = true;
	if (key)
		fputs(key, stdout);
}

static void push(enum level_kind kind, const char *key)
{
	if (out.depth == OUT_DEPTH_MAX)
		return;
	out.level[out.depth++] = (struct level){ .kind = kind, .key = key };
}

static void open_array(void)
{
	if (!out.json || out.bare)
		return;
	putchar(out.opened ? ',' : '[');
	out.opened = true;
	json_newline();
}

void out_obj_begin(const char *key)
{
	struct level *l = top();

	if (!l) {
		open_array();
	} else if (out.json) {
		put_key(key);
	} else {
		text_newline();
		out.indent++;
		put_key(key ? key : l->key);
	}
	if (out.json)
		putchar('{');
	push(LEVEL_OBJ, key);
}

static void json_close(char bracket, bool any)
{
	out.depth--;
	if (any)
		json_newline();
	putchar(bracket);
}

void out_obj_end(void)
{
	struct level *l = top();

	if (!l)
		return;
	if (out.json) {
		json_close('}', l->items);
		return;
	}
	out.depth--;
	text_newline();
	if (out.depth)
		out.indent--;
}

void out_list_begin(const char *key)
{
	put_key(key);
	putchar(out.json ? '[' : ' ');
	push(LEVEL_LIST, key);
}

void out_list_end(void)
{
	struct level *l = top();

	if (!l)
		return;
	if (out.json) {
		json_close(']', l->items);
		return;
	}
	if (!l->items)
		putchar('-');
	out.depth--;
}

void out_objs_begin(const char *key)
{
	if (out.json) {
		put_key(key);
		putchar('[');
	}
	push(LEVEL_OBJS, key);
}

void out_objs_end(void)
{
	struct level *l = top();

	if (!l)
		return;
	if (out.json)
		json_close(']', l->items);
	else
		out.depth--;
}

/* Between a key and its value, in text. */
static void put_gap(const char *key)
{
	if (!out.json && key)
		putchar(' ');
}

void out_str(const char *key, const char *s, size_t len)
{
	put_key(key);
	put_gap(key);
	if (out.json)
		put_quoted(s, len);
	else
		put_word(s, len);
}

void out_cstr(const char *key, const char *s)
{
	out_str(key, s, strlen(s));
}

/* Most of what is shown, and printf() is slow. */
static void put_uint(uint64_t v)
{
	char buf[20];
	size_t at = sizeof(buf);

	do {
		buf[--at] = '0' + v % 10;
		v /= 10;
	} while (v);
	fwrite(buf + at, 1, sizeof(buf) - at, stdout);
}

void out_uint(const char *key, uint64_t v)
{
	put_key(key);
	put_gap(key);
	put_uint(v);
}

/* Text is hexadecimal; JSON has no such numbers. */
void out_hex(const char *key, uint64_t v, unsigned int digits)
{
	put_key(key);
	put_gap(key);
	if (out.json)
		put_uint(v);
	else
		printf("0x%0*" PRIx64, (int)digits, v);
}

void out_bool(const char *key, bool v)
{
	put_key(key);
	put_gap(key);
	fputs(v ? "true" : "false", stdout);
}

/* Something that is either there or not. */
void out_flag(const char *key)
{
	put_key(key);
	if (out.json)
		fputs("true", stdout);
}

/* Bytes as a string of hexadecimal digits. */
void out_bytes(const char *key, const void *data, size_t len)
{
	const unsigned char *p = data;
	size_t i;

	put_key(key);
	put_gap(key);
	if (out.json || !len)
		putchar('"');
	for (i = 0; i < len; i++)
		printf("%02x", p[i]);
	if (out.json || !len)
		putchar('"');
}

/* Text: what follows goes to a line of its own, indented. */
void out_break(void)
{
	if (out.json || !out.line_open)
		return;
	putchar('\n');
	put_indent((out.indent + 1) * OUT_INDENT - 1);
}

int out_flush(void)
{
	if (out.json)
		putchar('\n');
	return fflush(stdout) ? VMQCTL_FAILED : VMQCTL_OK;
}

/* Closes what is open, down to depth. */
void out_unwind(unsigned int depth)
{
	while (out.depth > depth) {
		switch (top()->kind) {
		case LEVEL_OBJ:
			out_obj_end();
			break;
		case LEVEL_LIST:
			out_list_end();
			break;
		case LEVEL_OBJS:
			out_objs_end();
			break;
		}
	}
}

/*
 * Closes everything, so that JSON is whole even after a failure, and says if
 * the output could not be written.
 */
int out_finish(int status)
{
	out_unwind(0);
	if (out.opened) {
		if (out.pretty)
			putchar('\n');
		puts("]");
	} else if (out.json && out.array && status == VMQCTL_OK) {
		puts("[]");
	}
	if (fflush(stdout) || ferror(stdout)) {
		complain("write to standard output: %s", strerror(errno));
		if (status == VMQCTL_OK)
			status = VMQCTL_FAILED;
	}
	return status;
}
