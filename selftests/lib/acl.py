# SPDX-License-Identifier: GPL-2.0
"""The extension stack and acl's rules, without starting vmqctl."""

import contextlib

from .netlink import UAPI, Genl, attr, attr_str, attr_u8, attr_u32, nest

IN, OUT = 0, 1
DENY, ALLOW = 0, 1


def ext_set(dev, enabled, name="acl"):
    """vmqctl ext enable and disable"""
    with contextlib.closing(Genl()) as genl:
        genl.call(UAPI["VMQ_CMD_EXT_SET"],
                  attr_str(UAPI["VMQ_A_EXT_DEV"], dev),
                  attr_str(UAPI["VMQ_A_EXT_NAME"], name),
                  attr_u8(UAPI["VMQ_A_EXT_ENABLED"], enabled))


def acl_set(dev, *config, genl=None):
    """Attributes of the set acl, for one port"""
    own = genl or Genl()
    try:
        own.call(UAPI["VMQ_CMD_EXT_PORT_SET"],
                 attr_str(UAPI["VMQ_A_EXT_PORT_DEV"], dev),
                 attr_str(UAPI["VMQ_A_EXT_PORT_NAME"], "acl"),
                 attr(UAPI["VMQ_A_EXT_PORT_CONFIG"], b"".join(config)))
    finally:
        if not genl:
            own.close()


def acl_rule(direction, action, *more, priority=None):
    """The attribute that adds a rule"""
    fields = [attr_u8(UAPI["VMQ_A_ACL_RULE_DIRECTION"], direction),
              attr_u8(UAPI["VMQ_A_ACL_RULE_ACTION"], action), *more]
    if priority is not None:
        fields.append(attr_u32(UAPI["VMQ_A_ACL_RULE_PRIORITY"], priority))
    return nest(UAPI["VMQ_A_ACL_ADD"], *fields)


def acl_flush(dev, rules=True, connections=True):
    """vmqctl acl flush"""
    config = []
    if rules:
        config.append(attr(UAPI["VMQ_A_ACL_FLUSH_RULES"]))
    if connections:
        config.append(attr(UAPI["VMQ_A_ACL_FLUSH_CONNECTIONS"]))
    acl_set(dev, *config)
