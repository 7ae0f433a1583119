/* SPDX-License-Identifier: GPL-2.0 */
#include <string.h>

#include <linux/if_ether.h>
#include <linux/types.h>

static inline void ether_addr_copy(u8 *to, const u8 *from)
{
	memcpy(to, from, ETH_ALEN);
}

static inline bool is_zero_ether_addr(const u8 *addr)
{
	return !(addr[0] | addr[1] | addr[2] | addr[3] | addr[4] | addr[5]);
}

static inline bool is_valid_ether_addr(const u8 *addr)
{
	return !(addr[0] & 1) && !is_zero_ether_addr(addr);
}
