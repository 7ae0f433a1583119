/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/types.h>

static inline bool is_power_of_2(unsigned long n)
{
	return n && !(n & (n - 1));
}
