/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Rates and sizes with the units that tc(8) has.
 */
#ifndef _VMQCTL_UNITS_H
#define _VMQCTL_UNITS_H

#include <stdint.h>

int parse_rate(const char *what, const char *s, uint64_t *bits);
int parse_size(const char *what, const char *s, uint64_t max, uint64_t *bytes);
int parse_count(const char *what, const char *s, uint64_t max, uint64_t *n);
void out_rate(const char *key, uint64_t bits);
void out_size(const char *key, uint64_t bytes);

#endif /* _VMQCTL_UNITS_H */
