/* SPDX-License-Identifier: GPL-2.0 */
/* As much of the kernel as the parsers use, for a build in user space. */
#ifndef _FUZZ_LINUX_TYPES_H
#define _FUZZ_LINUX_TYPES_H

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t s64;
typedef uint16_t __be16;
typedef uint32_t __be32;
typedef uint16_t __le16;
typedef uint32_t __le32;
typedef uint64_t __le64;
typedef uint8_t __u8;
typedef uint16_t __u16;
typedef uint32_t __u32;
typedef uint64_t __u64;

struct rcu_head {
	void *next;
};

#define __percpu
#define __aligned(n)	__attribute__((aligned(n)))
#define __counted_by(member)
#define S64_MAX		INT64_MAX
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define ALIGN(n, to)	(((n) + (to) - 1) / (to) * (to))
#define BIT(n)		(1U << (n))
#define cpu_to_le16	htole16
#define cpu_to_le32	htole32
#define le16_to_cpu	le16toh
#define le32_to_cpu	le32toh
#define cpu_to_le64	htole64
#define le64_to_cpu	le64toh

#endif /* _FUZZ_LINUX_TYPES_H */
