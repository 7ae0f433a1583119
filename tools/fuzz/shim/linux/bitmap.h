/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FUZZ_LINUX_BITMAP_H
#define _FUZZ_LINUX_BITMAP_H

#include <linux/types.h>

#define BITS_PER_LONG	(8 * sizeof(long))
#define DECLARE_BITMAP(name, bits)					\
	unsigned long name[((bits) + BITS_PER_LONG - 1) / BITS_PER_LONG]

static inline bool test_bit(unsigned int n, const unsigned long *map)
{
	return map[n / BITS_PER_LONG] >> n % BITS_PER_LONG & 1;
}

static inline void bitmap_set(unsigned long *map, unsigned int first,
			      unsigned int n)
{
	for (; n; first++, n--)
		map[first / BITS_PER_LONG] |= 1UL << first % BITS_PER_LONG;
}

/* The next bit that is as wanted, or bits. */
static inline unsigned int find_bit(const unsigned long *map,
				    unsigned int bits, unsigned int at,
				    bool want)
{
	while (at < bits && test_bit(at, map) != want)
		at++;
	return at;
}

static inline bool bitmap_empty(const unsigned long *map, unsigned int bits)
{
	return find_bit(map, bits, 0, true) == bits;
}

/* From first up to, not including, end. */
#define for_each_set_bitrange(first, end, map, bits)			\
	for ((first) = find_bit(map, bits, 0, true);			\
	     (end) = find_bit(map, bits, first, false), (first) < (bits);	\
	     (first) = find_bit(map, bits, end, true))

#endif /* _FUZZ_LINUX_BITMAP_H */
