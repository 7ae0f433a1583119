/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What each of the fuzzers has: one function that tries one input.
 */
#ifndef _VMQ_FUZZ_H
#define _VMQ_FUZZ_H

#include <stdio.h>
#include <stdlib.h>

#include <linux/types.h>

/* Inputs that were accepted: those that are only refused try little. */
extern unsigned long fuzz_accepted;

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static inline void fuzz_fail(const char *what)
{
	fprintf(stderr, "fuzz: %s\n", what);
	abort();
}

/* A copy of that size exactly, so that a byte too many is noticed. */
static inline u8 *fuzz_copy(const u8 *data, size_t size)
{
	u8 *copy = malloc(size ? size : 1);

	if (!copy)
		abort();
	if (size)
		__builtin_memcpy(copy, data, size);
	return copy;
}

#endif /* _VMQ_FUZZ_H */
