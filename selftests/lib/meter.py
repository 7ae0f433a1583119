# SPDX-License-Identifier: GPL-2.0
"""The extension meter, without starting vmqctl."""

import contextlib

from .netlink import (UAPI, Genl, attr, attr_str, attr_u8, attr_u32,
                      parse_attrs)

BITS = ("RX_RATE", "TX_RATE")


def meter_set(dev, genl=None, **limits):
    """vmqctl meter set: tx_rate=8000000, shape=1; clear=True first."""
    config = []
    if limits.pop("clear", False):
        config.append(attr(UAPI["VMQ_A_METER_CLEAR"]))
    for name, value in limits.items():
        name = name.upper()
        number = UAPI[f"VMQ_A_METER_{name}"]
        config.append(
            attr(number, value.to_bytes(8, "little")) if name in BITS else
            attr_u8(number, value) if name == "SHAPE" else
            attr_u32(number, value))
    own = genl or Genl()
    try:
        own.call(UAPI["VMQ_CMD_EXT_PORT_SET"],
                 attr_str(UAPI["VMQ_A_EXT_PORT_DEV"], dev),
                 attr_str(UAPI["VMQ_A_EXT_PORT_NAME"], "meter"),
                 attr(UAPI["VMQ_A_EXT_PORT_CONFIG"], b"".join(config)))
    finally:
        if not genl:
            own.close()


def meter_get(dev):
    """vmqctl -j meter show: {name: number}"""
    names = {value: name[12:].lower().replace("_", "-")
             for name, value in UAPI.items()
             if name.startswith("VMQ_A_METER_")
             and not name.endswith(("_MAX", "_PAD"))} if UAPI["VMQ_A_METER_PAD"] \
        else {}
    with contextlib.closing(Genl()) as genl:
        [answer] = genl.call(UAPI["VMQ_CMD_EXT_PORT_GET"],
                             attr_str(UAPI["VMQ_A_EXT_PORT_DEV"], dev),
                             attr_str(UAPI["VMQ_A_EXT_PORT_NAME"], "meter"),
                             dump=True)
    config = dict(answer)[UAPI["VMQ_A_EXT_PORT_CONFIG"]]
    return {names[kind]: int.from_bytes(data, "little")
            for kind, data in parse_attrs(config) if kind in names}
