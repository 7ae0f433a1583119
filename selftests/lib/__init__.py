# SPDX-License-Identifier: GPL-2.0
"""What the tests share, with the names of the kernel's net/lib/py.

That package itself is not used: it needs PyYAML and the specifications, and
importing them takes seconds on a debug kernel. This one needs the standard
library, and talks to the kernel without starting programs where it can.
"""

from .ksft import (KsftFailEx, KsftSkipEx, defer, ksft_eq, ksft_exit, ksft_ge,
                   ksft_in, ksft_lt, ksft_main, ksft_ne, ksft_not_in, ksft_pr,
                   ksft_raises, ksft_run, ksft_true, readable, settle,
                   wait_until)
from .netlink import NlError, Netlink, Genl, attr, attr_str, attr_u8, \
    attr_u16, attr_u32, nest, parse_attrs, UAPI
from .denied import in_userns, refused
from .rtnl import Rtnl
from .acl import acl_flush, acl_rule, acl_set, ext_set
from .env import NetNS, adapter, cmd, ethtool, ethtool_refused, fail_cmd, ip, link_info, \
    link_stats, machine, monitor, pair, port, port_queue, read_file, run, \
    set_sysctl, vmqctl
from .client import Client, Events
from .ext_user import Agent, Keeper
from .state import Session, abort, commit, restore, save
from .ioctl import Rule, channels, drvinfo, ethtool_stats, rule_add, \
    rule_del, rule_get, rules
from .frames import (Raw, arp, build, ether, icmp4, ip4, ip6, mac, sctp, tcp,
                     udp)
