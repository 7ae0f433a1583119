#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Refuses a kernel that is too old, in one line: kernel-version.sh KERNELDIR
set -eu

version=$(make -s -C "$1" kernelversion)
oldest=6.12

if [ "$(printf '%s\n%s\n' "$oldest" "$version" | sort -V | head -n 1)" != "$oldest" ]; then
	echo "vmq needs Linux $oldest or newer; $1 is $version" >&2
	exit 1
fi
