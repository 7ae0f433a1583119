/* SPDX-License-Identifier: GPL-2.0 */
struct rtnl_link_stats64;
