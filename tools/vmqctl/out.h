/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Output, as text or as JSON, of the same data.
 *
 * JSON is one array of objects, opened by the first of them. In text every
 * object of that array is a line of "key value" pairs; an object within another
 * is a line of its own, indented, and begins with its key; an array of scalars
 * is joined by commas. A key is NULL within an array.
 */
#ifndef _VMQCTL_OUT_H
#define _VMQCTL_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void out_init(bool json, bool pretty);
bool out_is_json(void);
void out_bare(void);			/* JSON: objects without an array around */
void out_array(void);			/* JSON: an array, even if it stays empty */

void out_obj_begin(const char *key);
void out_obj_end(void);
void out_list_begin(const char *key);	/* array of scalars */
void out_list_end(void);
void out_objs_begin(const char *key);	/* array of objects */
void out_objs_end(void);

void out_str(const char *key, const char *s, size_t len);
void out_uint(const char *key, uint64_t v);
void out_hex(const char *key, uint64_t v, unsigned int digits);
void out_bool(const char *key, bool v);
void out_flag(const char *key);
void out_bytes(const char *key, const void *data, size_t len);
void out_cstr(const char *key, const char *s);

void out_break(void);			/* text: go on in an indented line */
int out_flush(void);			/* ends a line of monitor, and writes it */
void out_unwind(unsigned int depth);	/* closes what is open, down to depth */
int out_finish(int status);		/* closes all that is open, whatever it is */

#endif /* _VMQCTL_OUT_H */
