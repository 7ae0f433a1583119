/* SPDX-License-Identifier: GPL-2.0 */
#define VLAN_VID_MASK	0x0fff
#define VLAN_N_VID	4096
