// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/vmq.yaml */
/* YNL-GEN kernel source */
/* To regenerate run: tools/net/ynl/ynl-regen.sh */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "genl_gen.h"

#include <uapi/linux/vmq.h>

/* Integer value ranges */
static const struct netlink_range_validation vmq_a_port_hold_frames_range = {
	.min	= 1ULL,
	.max	= 65536ULL,
};

static const struct netlink_range_validation vmq_a_port_hold_bytes_range = {
	.min	= 65536ULL,
	.max	= 268435456ULL,
};

static const struct netlink_range_validation vmq_a_port_announce_interval_range = {
	.min	= 10ULL,
	.max	= 60000ULL,
};

static const struct netlink_range_validation vmq_a_ext_user_timeout_range = {
	.min	= 1ULL,
	.max	= 60000ULL,
};

/* Common nested types */
const struct nla_policy vmq_filter_entry_nl_policy[VMQ_A_FILTER_ENTRY_UNTAGGED + 1] = {
	[VMQ_A_FILTER_ENTRY_QUEUE] = { .type = NLA_U32, },
	[VMQ_A_FILTER_ENTRY_MAC] = NLA_POLICY_EXACT_LEN(6),
	[VMQ_A_FILTER_ENTRY_VLAN] = { .type = NLA_U16, },
	[VMQ_A_FILTER_ENTRY_UNTAGGED] = { .type = NLA_FLAG, },
};

/* VMQ_CMD_ADAPTER_GET - do */
static const struct nla_policy vmq_adapter_get_nl_policy[VMQ_A_ADAPTER_DEV + 1] = {
	[VMQ_A_ADAPTER_IFINDEX] = { .type = NLA_U32, },
	[VMQ_A_ADAPTER_DEV] = { .type = NLA_NUL_STRING, },
};

/* VMQ_CMD_QUEUE_GET - do */
static const struct nla_policy vmq_queue_get_do_nl_policy[VMQ_A_QUEUE_ID + 1] = {
	[VMQ_A_QUEUE_IFINDEX] = { .type = NLA_U32, },
	[VMQ_A_QUEUE_DEV] = { .type = NLA_NUL_STRING, },
	[VMQ_A_QUEUE_ID] = { .type = NLA_U32, },
};

/* VMQ_CMD_QUEUE_GET - dump */
static const struct nla_policy vmq_queue_get_dump_nl_policy[VMQ_A_QUEUE_MINE + 1] = {
	[VMQ_A_QUEUE_IFINDEX] = { .type = NLA_U32, },
	[VMQ_A_QUEUE_DEV] = { .type = NLA_NUL_STRING, },
	[VMQ_A_QUEUE_MINE] = { .type = NLA_FLAG, },
};

/* VMQ_CMD_QUEUE_SET - do */
static const struct nla_policy vmq_queue_set_nl_policy[VMQ_A_QUEUE_ADAPTIVE + 1] = {
	[VMQ_A_QUEUE_IFINDEX] = { .type = NLA_U32, },
	[VMQ_A_QUEUE_DEV] = { .type = NLA_NUL_STRING, },
	[VMQ_A_QUEUE_ID] = { .type = NLA_U32, },
	[VMQ_A_QUEUE_NAME] = { .type = NLA_NUL_STRING, .len = 63, },
	[VMQ_A_QUEUE_VM] = { .type = NLA_NUL_STRING, .len = 63, },
	[VMQ_A_QUEUE_CPUS] = { .type = NLA_NUL_STRING, .len = 4095, },
	[VMQ_A_QUEUE_MODE] = NLA_POLICY_MAX(NLA_U32, 1),
	[VMQ_A_QUEUE_BUFFERS] = { .type = NLA_U32, },
	[VMQ_A_QUEUE_PER_QUEUE_DELIVERY] = NLA_POLICY_MAX(NLA_U8, 1),
	[VMQ_A_QUEUE_LOOKAHEAD] = { .type = NLA_U32, },
	[VMQ_A_QUEUE_RX_USECS] = { .type = NLA_U32, },
	[VMQ_A_QUEUE_RX_FRAMES] = { .type = NLA_U32, },
	[VMQ_A_QUEUE_ADAPTIVE] = NLA_POLICY_MAX(NLA_U8, 1),
};

/* VMQ_CMD_FILTER_GET - do */
static const struct nla_policy vmq_filter_get_do_nl_policy[VMQ_A_FILTER_ID + 1] = {
	[VMQ_A_FILTER_IFINDEX] = { .type = NLA_U32, },
	[VMQ_A_FILTER_DEV] = { .type = NLA_NUL_STRING, },
	[VMQ_A_FILTER_ID] = { .type = NLA_U32, },
};

/* VMQ_CMD_FILTER_GET - dump */
static const struct nla_policy vmq_filter_get_dump_nl_policy[VMQ_A_FILTER_QUEUE + 1] = {
	[VMQ_A_FILTER_IFINDEX] = { .type = NLA_U32, },
	[VMQ_A_FILTER_DEV] = { .type = NLA_NUL_STRING, },
	[VMQ_A_FILTER_QUEUE] = { .type = NLA_U32, },
};

/* VMQ_CMD_PORT_GET - do */
static const struct nla_policy vmq_port_get_do_nl_policy[VMQ_A_PORT_DEV + 1] = {
	[VMQ_A_PORT_IFINDEX] = { .type = NLA_U32, },
	[VMQ_A_PORT_DEV] = { .type = NLA_NUL_STRING, },
};

/* VMQ_CMD_PORT_GET - dump */
static const struct nla_policy vmq_port_get_dump_nl_policy[VMQ_A_PORT_DEV + 1] = {
	[VMQ_A_PORT_IFINDEX] = { .type = NLA_U32, },
	[VMQ_A_PORT_DEV] = { .type = NLA_NUL_STRING, },
};

/* VMQ_CMD_EXT_GET - do */
static const struct nla_policy vmq_ext_get_do_nl_policy[VMQ_A_EXT_NAME + 1] = {
	[VMQ_A_EXT_IFINDEX] = { .type = NLA_U32, },
	[VMQ_A_EXT_DEV] = { .type = NLA_NUL_STRING, },
	[VMQ_A_EXT_NAME] = { .type = NLA_NUL_STRING, },
};

/* VMQ_CMD_EXT_GET - dump */
static const struct nla_policy vmq_ext_get_dump_nl_policy[VMQ_A_EXT_DEV + 1] = {
	[VMQ_A_EXT_IFINDEX] = { .type = NLA_U32, },
	[VMQ_A_EXT_DEV] = { .type = NLA_NUL_STRING, },
};

/* VMQ_CMD_EXT_SET - do */
static const struct nla_policy vmq_ext_set_nl_policy[VMQ_A_EXT_POSITION + 1] = {
	[VMQ_A_EXT_IFINDEX] = { .type = NLA_U32, },
	[VMQ_A_EXT_DEV] = { .type = NLA_NUL_STRING, },
	[VMQ_A_EXT_NAME] = { .type = NLA_NUL_STRING, },
	[VMQ_A_EXT_ENABLED] = NLA_POLICY_MAX(NLA_U8, 1),
	[VMQ_A_EXT_POSITION] = { .type = NLA_U32, },
};

/* VMQ_CMD_EXT_PORT_GET - dump */
static const struct nla_policy vmq_ext_port_get_nl_policy[VMQ_A_EXT_PORT_NAME + 1] = {
	[VMQ_A_EXT_PORT_IFINDEX] = { .type = NLA_U32, },
	[VMQ_A_EXT_PORT_DEV] = { .type = NLA_NUL_STRING, },
	[VMQ_A_EXT_PORT_NAME] = { .type = NLA_NUL_STRING, },
};

/* VMQ_CMD_EXT_PORT_SET - do */
static const struct nla_policy vmq_ext_port_set_nl_policy[VMQ_A_EXT_PORT_CONFIG + 1] = {
	[VMQ_A_EXT_PORT_IFINDEX] = { .type = NLA_U32, },
	[VMQ_A_EXT_PORT_DEV] = { .type = NLA_NUL_STRING, },
	[VMQ_A_EXT_PORT_NAME] = { .type = NLA_NUL_STRING, },
	[VMQ_A_EXT_PORT_CONFIG] = { .type = NLA_BINARY, },
};

/* VMQ_CMD_SAVE_BEGIN - do */
static const struct nla_policy vmq_save_begin_nl_policy[VMQ_A_PORT_DEV + 1] = {
	[VMQ_A_PORT_IFINDEX] = { .type = NLA_U32, },
	[VMQ_A_PORT_DEV] = { .type = NLA_NUL_STRING, },
};

/* VMQ_CMD_RESTORE_BEGIN - do */
static const struct nla_policy vmq_restore_begin_nl_policy[VMQ_A_PORT_DEV + 1] = {
	[VMQ_A_PORT_IFINDEX] = { .type = NLA_U32, },
	[VMQ_A_PORT_DEV] = { .type = NLA_NUL_STRING, },
};

/* VMQ_CMD_RESTORE_COMMIT - do */
static const struct nla_policy vmq_restore_commit_nl_policy[VMQ_A_PORT_DEV + 1] = {
	[VMQ_A_PORT_IFINDEX] = { .type = NLA_U32, },
	[VMQ_A_PORT_DEV] = { .type = NLA_NUL_STRING, },
};

/* VMQ_CMD_ABORT - do */
static const struct nla_policy vmq_abort_nl_policy[VMQ_A_PORT_DEV + 1] = {
	[VMQ_A_PORT_IFINDEX] = { .type = NLA_U32, },
	[VMQ_A_PORT_DEV] = { .type = NLA_NUL_STRING, },
};

/* VMQ_CMD_PORT_SET - do */
static const struct nla_policy vmq_port_set_nl_policy[VMQ_A_PORT_SPOOFCHK + 1] = {
	[VMQ_A_PORT_IFINDEX] = { .type = NLA_U32, },
	[VMQ_A_PORT_DEV] = { .type = NLA_NUL_STRING, },
	[VMQ_A_PORT_UUID] = { .type = NLA_NUL_STRING, },
	[VMQ_A_PORT_GATE] = NLA_POLICY_MAX(NLA_U32, 2),
	[VMQ_A_PORT_HOLD_FRAMES] = NLA_POLICY_FULL_RANGE(NLA_U32, &vmq_a_port_hold_frames_range),
	[VMQ_A_PORT_HOLD_BYTES] = NLA_POLICY_FULL_RANGE(NLA_U32, &vmq_a_port_hold_bytes_range),
	[VMQ_A_PORT_REDIRECT] = { .type = NLA_NUL_STRING, .len = 15, },
	[VMQ_A_PORT_ANNOUNCE_COUNT] = NLA_POLICY_MAX(NLA_U32, 100),
	[VMQ_A_PORT_ANNOUNCE_INTERVAL] = NLA_POLICY_FULL_RANGE(NLA_U32, &vmq_a_port_announce_interval_range),
	[VMQ_A_PORT_PATH_POLICY] = NLA_POLICY_MAX(NLA_U32, 2),
	[VMQ_A_PORT_VF] = { .type = NLA_U32, },
	[VMQ_A_PORT_VF_UPLINK] = { .type = NLA_FLAG, },
	[VMQ_A_PORT_VLAN] = { .type = NLA_U16, },
	[VMQ_A_PORT_TRUNK] = { .type = NLA_NUL_STRING, .len = 1023, },
	[VMQ_A_PORT_ISOLATE] = NLA_POLICY_MAX(NLA_U8, 1),
	[VMQ_A_PORT_SPOOFCHK] = NLA_POLICY_MAX(NLA_U8, 1),
};

/* VMQ_CMD_VF_GET - do */
static const struct nla_policy vmq_vf_get_do_nl_policy[VMQ_A_VF_ID + 1] = {
	[VMQ_A_VF_IFINDEX] = { .type = NLA_U32, },
	[VMQ_A_VF_DEV] = { .type = NLA_NUL_STRING, },
	[VMQ_A_VF_ID] = { .type = NLA_U32, },
};

/* VMQ_CMD_VF_GET - dump */
static const struct nla_policy vmq_vf_get_dump_nl_policy[VMQ_A_VF_DEV + 1] = {
	[VMQ_A_VF_IFINDEX] = { .type = NLA_U32, },
	[VMQ_A_VF_DEV] = { .type = NLA_NUL_STRING, },
};

/* VMQ_CMD_VF_RESET - do */
static const struct nla_policy vmq_vf_reset_nl_policy[VMQ_A_VF_ID + 1] = {
	[VMQ_A_VF_IFINDEX] = { .type = NLA_U32, },
	[VMQ_A_VF_DEV] = { .type = NLA_NUL_STRING, },
	[VMQ_A_VF_ID] = { .type = NLA_U32, },
};

/* VMQ_CMD_VF_BLOCK_GET - do */
static const struct nla_policy vmq_vf_block_get_nl_policy[VMQ_A_VF_BLOCK + 1] = {
	[VMQ_A_VF_IFINDEX] = { .type = NLA_U32, },
	[VMQ_A_VF_DEV] = { .type = NLA_NUL_STRING, },
	[VMQ_A_VF_ID] = { .type = NLA_U32, },
	[VMQ_A_VF_BLOCK] = NLA_POLICY_MAX(NLA_U32, 63),
};

/* VMQ_CMD_VF_BLOCK_SET - do */
static const struct nla_policy vmq_vf_block_set_nl_policy[VMQ_A_VF_CHANGED + 1] = {
	[VMQ_A_VF_IFINDEX] = { .type = NLA_U32, },
	[VMQ_A_VF_DEV] = { .type = NLA_NUL_STRING, },
	[VMQ_A_VF_ID] = { .type = NLA_U32, },
	[VMQ_A_VF_BLOCK] = NLA_POLICY_MAX(NLA_U32, 63),
	[VMQ_A_VF_DATA] = { .type = NLA_BINARY, },
	[VMQ_A_VF_CHANGED] = { .type = NLA_U64, },
};

/* VMQ_CMD_VF_BLOCK_CHANGED - do */
static const struct nla_policy vmq_vf_block_changed_nl_policy[VMQ_A_VF_DEV + 1] = {
	[VMQ_A_VF_IFINDEX] = { .type = NLA_U32, },
	[VMQ_A_VF_DEV] = { .type = NLA_NUL_STRING, },
};

/* VMQ_CMD_QUEUE_NEW - do */
static const struct nla_policy vmq_queue_new_nl_policy[VMQ_A_QUEUE_ADAPTIVE + 1] = {
	[VMQ_A_QUEUE_IFINDEX] = { .type = NLA_U32, },
	[VMQ_A_QUEUE_DEV] = { .type = NLA_NUL_STRING, },
	[VMQ_A_QUEUE_NAME] = { .type = NLA_NUL_STRING, .len = 63, },
	[VMQ_A_QUEUE_VM] = { .type = NLA_NUL_STRING, .len = 63, },
	[VMQ_A_QUEUE_KEEP] = { .type = NLA_FLAG, },
	[VMQ_A_QUEUE_CPUS] = { .type = NLA_NUL_STRING, .len = 4095, },
	[VMQ_A_QUEUE_MODE] = NLA_POLICY_MAX(NLA_U32, 1),
	[VMQ_A_QUEUE_BUFFERS] = { .type = NLA_U32, },
	[VMQ_A_QUEUE_PER_QUEUE_DELIVERY] = NLA_POLICY_MAX(NLA_U8, 1),
	[VMQ_A_QUEUE_LOOKAHEAD] = { .type = NLA_U32, },
	[VMQ_A_QUEUE_RX_USECS] = { .type = NLA_U32, },
	[VMQ_A_QUEUE_RX_FRAMES] = { .type = NLA_U32, },
	[VMQ_A_QUEUE_ADAPTIVE] = NLA_POLICY_MAX(NLA_U8, 1),
};

/* VMQ_CMD_QUEUE_COMPLETE - do */
static const struct nla_policy vmq_queue_complete_nl_policy[VMQ_A_QUEUE_IDS + 1] = {
	[VMQ_A_QUEUE_IFINDEX] = { .type = NLA_U32, },
	[VMQ_A_QUEUE_DEV] = { .type = NLA_NUL_STRING, },
	[VMQ_A_QUEUE_IDS] = { .type = NLA_U32, },
};

/* VMQ_CMD_QUEUE_DEL - do */
static const struct nla_policy vmq_queue_del_nl_policy[VMQ_A_QUEUE_ID + 1] = {
	[VMQ_A_QUEUE_IFINDEX] = { .type = NLA_U32, },
	[VMQ_A_QUEUE_DEV] = { .type = NLA_NUL_STRING, },
	[VMQ_A_QUEUE_ID] = { .type = NLA_U32, },
};

/* VMQ_CMD_FILTER_NEW - do */
static const struct nla_policy vmq_filter_new_nl_policy[VMQ_A_FILTER_ENTRY + 1] = {
	[VMQ_A_FILTER_IFINDEX] = { .type = NLA_U32, },
	[VMQ_A_FILTER_DEV] = { .type = NLA_NUL_STRING, },
	[VMQ_A_FILTER_QUEUE] = { .type = NLA_U32, },
	[VMQ_A_FILTER_MAC] = NLA_POLICY_EXACT_LEN(6),
	[VMQ_A_FILTER_VLAN] = { .type = NLA_U16, },
	[VMQ_A_FILTER_UNTAGGED] = { .type = NLA_FLAG, },
	[VMQ_A_FILTER_KEEP] = { .type = NLA_FLAG, },
	[VMQ_A_FILTER_ENTRY] = NLA_POLICY_NESTED(vmq_filter_entry_nl_policy),
};

/* VMQ_CMD_FILTER_MOVE - do */
static const struct nla_policy vmq_filter_move_nl_policy[VMQ_A_FILTER_FROM + 1] = {
	[VMQ_A_FILTER_IFINDEX] = { .type = NLA_U32, },
	[VMQ_A_FILTER_DEV] = { .type = NLA_NUL_STRING, },
	[VMQ_A_FILTER_ID] = { .type = NLA_U32, },
	[VMQ_A_FILTER_QUEUE] = { .type = NLA_U32, },
	[VMQ_A_FILTER_FROM] = { .type = NLA_U32, },
};

/* VMQ_CMD_FILTER_DEL - do */
static const struct nla_policy vmq_filter_del_nl_policy[VMQ_A_FILTER_IDS + 1] = {
	[VMQ_A_FILTER_IFINDEX] = { .type = NLA_U32, },
	[VMQ_A_FILTER_DEV] = { .type = NLA_NUL_STRING, },
	[VMQ_A_FILTER_ID] = { .type = NLA_U32, },
	[VMQ_A_FILTER_QUEUE] = { .type = NLA_U32, },
	[VMQ_A_FILTER_IDS] = { .type = NLA_U32, },
};

/* VMQ_CMD_EXT_REGISTER - do */
static const struct nla_policy vmq_ext_register_nl_policy[VMQ_A_EXT_USER_ENABLED + 1] = {
	[VMQ_A_EXT_USER_IFINDEX] = { .type = NLA_U32, },
	[VMQ_A_EXT_USER_DEV] = { .type = NLA_NUL_STRING, },
	[VMQ_A_EXT_USER_NAME] = { .type = NLA_NUL_STRING, .len = 15, },
	[VMQ_A_EXT_USER_UUID] = { .type = NLA_NUL_STRING, },
	[VMQ_A_EXT_USER_CLASS] = NLA_POLICY_MAX(NLA_U32, 2),
	[VMQ_A_EXT_USER_DATA_VERSION] = { .type = NLA_U16, },
	[VMQ_A_EXT_USER_FEATURE] = { .type = NLA_NUL_STRING, },
	[VMQ_A_EXT_USER_TIMEOUT] = NLA_POLICY_FULL_RANGE(NLA_U32, &vmq_a_ext_user_timeout_range),
	[VMQ_A_EXT_USER_ENABLED] = NLA_POLICY_MAX(NLA_U8, 1),
};

/* VMQ_CMD_EXT_UNREGISTER - do */
static const struct nla_policy vmq_ext_unregister_nl_policy[VMQ_A_EXT_USER_NAME + 1] = {
	[VMQ_A_EXT_USER_IFINDEX] = { .type = NLA_U32, },
	[VMQ_A_EXT_USER_DEV] = { .type = NLA_NUL_STRING, },
	[VMQ_A_EXT_USER_NAME] = { .type = NLA_NUL_STRING, .len = 15, },
};

/* VMQ_CMD_EXT_READ - do */
static const struct nla_policy vmq_ext_read_nl_policy[VMQ_A_EXT_USER_OFFSET + 1] = {
	[VMQ_A_EXT_USER_REQUEST] = { .type = NLA_U32, },
	[VMQ_A_EXT_USER_OFFSET] = { .type = NLA_U32, },
};

/* VMQ_CMD_EXT_ANSWER - do */
static const struct nla_policy vmq_ext_answer_nl_policy[VMQ_A_EXT_USER_MESSAGE + 1] = {
	[VMQ_A_EXT_USER_REQUEST] = { .type = NLA_U32, },
	[VMQ_A_EXT_USER_DATA] = { .type = NLA_BINARY, },
	[VMQ_A_EXT_USER_OPTIONAL] = { .type = NLA_FLAG, },
	[VMQ_A_EXT_USER_ERROR] = NLA_POLICY_MAX(NLA_U32, 4095),
	[VMQ_A_EXT_USER_MESSAGE] = { .type = NLA_NUL_STRING, .len = 64, },
};

/* VMQ_CMD_ADAPTER_SET - do */
static const struct nla_policy vmq_adapter_set_nl_policy[VMQ_A_ADAPTER_MCAST_SNOOPING + 1] = {
	[VMQ_A_ADAPTER_IFINDEX] = { .type = NLA_U32, },
	[VMQ_A_ADAPTER_DEV] = { .type = NLA_NUL_STRING, },
	[VMQ_A_ADAPTER_PRIVATE] = NLA_POLICY_MAX(NLA_U8, 1),
	[VMQ_A_ADAPTER_MCAST_SNOOPING] = NLA_POLICY_MAX(NLA_U8, 1),
};

/* VMQ_CMD_GROUP_GET - dump */
static const struct nla_policy vmq_group_get_nl_policy[VMQ_A_GROUP_DEV + 1] = {
	[VMQ_A_GROUP_IFINDEX] = { .type = NLA_U32, },
	[VMQ_A_GROUP_DEV] = { .type = NLA_NUL_STRING, },
};

/* Ops table for vmq */
static const struct genl_split_ops vmq_nl_ops[] = {
	{
		.cmd		= VMQ_CMD_ADAPTER_GET,
		.doit		= vmq_nl_adapter_get_doit,
		.policy		= vmq_adapter_get_nl_policy,
		.maxattr	= VMQ_A_ADAPTER_DEV,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd	= VMQ_CMD_ADAPTER_GET,
		.dumpit	= vmq_nl_adapter_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= VMQ_CMD_QUEUE_GET,
		.doit		= vmq_nl_queue_get_doit,
		.policy		= vmq_queue_get_do_nl_policy,
		.maxattr	= VMQ_A_QUEUE_ID,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= VMQ_CMD_QUEUE_GET,
		.dumpit		= vmq_nl_queue_get_dumpit,
		.policy		= vmq_queue_get_dump_nl_policy,
		.maxattr	= VMQ_A_QUEUE_MINE,
		.flags		= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= VMQ_CMD_QUEUE_SET,
		.doit		= vmq_nl_queue_set_doit,
		.policy		= vmq_queue_set_nl_policy,
		.maxattr	= VMQ_A_QUEUE_ADAPTIVE,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= VMQ_CMD_FILTER_GET,
		.doit		= vmq_nl_filter_get_doit,
		.policy		= vmq_filter_get_do_nl_policy,
		.maxattr	= VMQ_A_FILTER_ID,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= VMQ_CMD_FILTER_GET,
		.dumpit		= vmq_nl_filter_get_dumpit,
		.policy		= vmq_filter_get_dump_nl_policy,
		.maxattr	= VMQ_A_FILTER_QUEUE,
		.flags		= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= VMQ_CMD_PORT_GET,
		.doit		= vmq_nl_port_get_doit,
		.policy		= vmq_port_get_do_nl_policy,
		.maxattr	= VMQ_A_PORT_DEV,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= VMQ_CMD_PORT_GET,
		.dumpit		= vmq_nl_port_get_dumpit,
		.policy		= vmq_port_get_dump_nl_policy,
		.maxattr	= VMQ_A_PORT_DEV,
		.flags		= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= VMQ_CMD_EXT_GET,
		.doit		= vmq_nl_ext_get_doit,
		.policy		= vmq_ext_get_do_nl_policy,
		.maxattr	= VMQ_A_EXT_NAME,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= VMQ_CMD_EXT_GET,
		.dumpit		= vmq_nl_ext_get_dumpit,
		.policy		= vmq_ext_get_dump_nl_policy,
		.maxattr	= VMQ_A_EXT_DEV,
		.flags		= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= VMQ_CMD_EXT_SET,
		.doit		= vmq_nl_ext_set_doit,
		.policy		= vmq_ext_set_nl_policy,
		.maxattr	= VMQ_A_EXT_POSITION,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= VMQ_CMD_EXT_PORT_GET,
		.dumpit		= vmq_nl_ext_port_get_dumpit,
		.policy		= vmq_ext_port_get_nl_policy,
		.maxattr	= VMQ_A_EXT_PORT_NAME,
		.flags		= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= VMQ_CMD_EXT_PORT_SET,
		.doit		= vmq_nl_ext_port_set_doit,
		.policy		= vmq_ext_port_set_nl_policy,
		.maxattr	= VMQ_A_EXT_PORT_CONFIG,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= VMQ_CMD_SAVE_BEGIN,
		.doit		= vmq_nl_save_begin_doit,
		.policy		= vmq_save_begin_nl_policy,
		.maxattr	= VMQ_A_PORT_DEV,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= VMQ_CMD_RESTORE_BEGIN,
		.doit		= vmq_nl_restore_begin_doit,
		.policy		= vmq_restore_begin_nl_policy,
		.maxattr	= VMQ_A_PORT_DEV,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= VMQ_CMD_RESTORE_COMMIT,
		.doit		= vmq_nl_restore_commit_doit,
		.policy		= vmq_restore_commit_nl_policy,
		.maxattr	= VMQ_A_PORT_DEV,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= VMQ_CMD_ABORT,
		.doit		= vmq_nl_abort_doit,
		.policy		= vmq_abort_nl_policy,
		.maxattr	= VMQ_A_PORT_DEV,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= VMQ_CMD_PORT_SET,
		.doit		= vmq_nl_port_set_doit,
		.policy		= vmq_port_set_nl_policy,
		.maxattr	= VMQ_A_PORT_SPOOFCHK,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= VMQ_CMD_VF_GET,
		.doit		= vmq_nl_vf_get_doit,
		.policy		= vmq_vf_get_do_nl_policy,
		.maxattr	= VMQ_A_VF_ID,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= VMQ_CMD_VF_GET,
		.dumpit		= vmq_nl_vf_get_dumpit,
		.policy		= vmq_vf_get_dump_nl_policy,
		.maxattr	= VMQ_A_VF_DEV,
		.flags		= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= VMQ_CMD_VF_RESET,
		.doit		= vmq_nl_vf_reset_doit,
		.policy		= vmq_vf_reset_nl_policy,
		.maxattr	= VMQ_A_VF_ID,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= VMQ_CMD_VF_BLOCK_GET,
		.doit		= vmq_nl_vf_block_get_doit,
		.policy		= vmq_vf_block_get_nl_policy,
		.maxattr	= VMQ_A_VF_BLOCK,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= VMQ_CMD_VF_BLOCK_SET,
		.doit		= vmq_nl_vf_block_set_doit,
		.policy		= vmq_vf_block_set_nl_policy,
		.maxattr	= VMQ_A_VF_CHANGED,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= VMQ_CMD_VF_BLOCK_CHANGED,
		.doit		= vmq_nl_vf_block_changed_doit,
		.policy		= vmq_vf_block_changed_nl_policy,
		.maxattr	= VMQ_A_VF_DEV,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= VMQ_CMD_QUEUE_NEW,
		.doit		= vmq_nl_queue_new_doit,
		.policy		= vmq_queue_new_nl_policy,
		.maxattr	= VMQ_A_QUEUE_ADAPTIVE,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= VMQ_CMD_QUEUE_COMPLETE,
		.doit		= vmq_nl_queue_complete_doit,
		.policy		= vmq_queue_complete_nl_policy,
		.maxattr	= VMQ_A_QUEUE_IDS,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= VMQ_CMD_QUEUE_DEL,
		.doit		= vmq_nl_queue_del_doit,
		.policy		= vmq_queue_del_nl_policy,
		.maxattr	= VMQ_A_QUEUE_ID,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= VMQ_CMD_FILTER_NEW,
		.doit		= vmq_nl_filter_new_doit,
		.policy		= vmq_filter_new_nl_policy,
		.maxattr	= VMQ_A_FILTER_ENTRY,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= VMQ_CMD_FILTER_MOVE,
		.doit		= vmq_nl_filter_move_doit,
		.policy		= vmq_filter_move_nl_policy,
		.maxattr	= VMQ_A_FILTER_FROM,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= VMQ_CMD_FILTER_DEL,
		.doit		= vmq_nl_filter_del_doit,
		.policy		= vmq_filter_del_nl_policy,
		.maxattr	= VMQ_A_FILTER_IDS,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= VMQ_CMD_EXT_REGISTER,
		.doit		= vmq_nl_ext_register_doit,
		.policy		= vmq_ext_register_nl_policy,
		.maxattr	= VMQ_A_EXT_USER_ENABLED,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= VMQ_CMD_EXT_UNREGISTER,
		.doit		= vmq_nl_ext_unregister_doit,
		.policy		= vmq_ext_unregister_nl_policy,
		.maxattr	= VMQ_A_EXT_USER_NAME,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= VMQ_CMD_EXT_READ,
		.doit		= vmq_nl_ext_read_doit,
		.policy		= vmq_ext_read_nl_policy,
		.maxattr	= VMQ_A_EXT_USER_OFFSET,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= VMQ_CMD_EXT_ANSWER,
		.doit		= vmq_nl_ext_answer_doit,
		.policy		= vmq_ext_answer_nl_policy,
		.maxattr	= VMQ_A_EXT_USER_MESSAGE,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= VMQ_CMD_ADAPTER_SET,
		.doit		= vmq_nl_adapter_set_doit,
		.policy		= vmq_adapter_set_nl_policy,
		.maxattr	= VMQ_A_ADAPTER_MCAST_SNOOPING,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= VMQ_CMD_GROUP_GET,
		.dumpit		= vmq_nl_group_get_dumpit,
		.policy		= vmq_group_get_nl_policy,
		.maxattr	= VMQ_A_GROUP_DEV,
		.flags		= GENL_CMD_CAP_DUMP,
	},
};

static const struct genl_multicast_group vmq_nl_mcgrps[] = {
	[VMQ_NLGRP_EVENTS] = { "events", },
};

struct genl_family vmq_nl_family __ro_after_init = {
	.name		= VMQ_FAMILY_NAME,
	.version	= VMQ_FAMILY_VERSION,
	.netnsok	= true,
	.parallel_ops	= true,
	.module		= THIS_MODULE,
	.split_ops	= vmq_nl_ops,
	.n_split_ops	= ARRAY_SIZE(vmq_nl_ops),
	.mcgrps		= vmq_nl_mcgrps,
	.n_mcgrps	= ARRAY_SIZE(vmq_nl_mcgrps),
};
