#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Generates UAPI header, policies and op tables from the specification, with the
# newest kernel's YNL generator: gen.sh [OUTPUT-TREE]
set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
out=${1:-$top}
kernel=$("$top/tools/testvm/run" --print source 7.3)
ynl=$kernel/tools/net/ynl/pyynl/ynl_gen_c.py
spec=Documentation/netlink/specs/vmq.yaml

# The generator wants the schemas beside the specification and a MAINTAINERS
# file above it (without one it looks for ever).
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree/Documentation/netlink/specs"
touch "$tree/MAINTAINERS"
cp "$kernel"/Documentation/netlink/*.yaml "$tree/Documentation/netlink/"
cp "$top/$spec" "$tree/$spec"
mkdir -p "$out/include/uapi/linux" "$out/drivers/net/vmq"
cd "$tree"

generate() {
	timeout 60 /usr/bin/python3 "$ynl" --mode "$1" --"$2" --spec "$spec" -o "$out/$3"
}
generate uapi header include/uapi/linux/vmq.h
generate kernel header drivers/net/vmq/genl_gen.h
generate kernel source drivers/net/vmq/genl_gen.c
