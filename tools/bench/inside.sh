#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Runs inside of the machine: inside.sh ROUNDS
#
# pktgen hands frames to the uplink as if its driver had received them
# (xmit_mode netif_receive). Each contender has to find the receiver of the frame
# among others and hand it to that netdev, where tc drops it. What is the same for
# all (pktgen, tc) is measured as "nothing" and taken off.
set -eu

rounds=$1
frames=200000
mac=52:54:00:00:00:01
insmod "$(find "$VMQ_BUILD" -name vmq.ko)"

sink() {
	tc qdisc add dev "$1" clsact
	tc filter add dev "$1" ingress matchall action drop
	ip link set "$1" up
}

uplink() {
	ip link add "$1" type dummy
	ip link set "$1" up
}

# others N: MAC addresses of N further receivers
others() {
	local i
	for ((i = 1; i <= $1; i++)); do
		printf '52:54:00:01:%02x:%02x\n' $((i / 256)) $((i % 256))
	done
}

setup_nothing() {
	uplink n0
	sink n0
}
setup_macvlan() {
	local m
	uplink m0
	ip link add link m0 name mv address "$mac" type macvlan mode bridge
	sink mv
	for m in $(others 31); do
		ip link add link m0 name "mv${m//:/}" address "$m" type macvlan mode bridge
		ip link set "mv${m//:/}" up
	done
}
setup_bridge() {
	local m
	uplink b0
	ip link add name br0 type bridge
	ip link set dev br0 address "$mac"
	ip link set b0 master br0
	sink br0
	for m in $(others 31); do bridge fdb add "$m" dev b0 master static; done
}
# vmq NAME PORTS: uplink NAME0, adapter NAMEa, receiver NAMEp
vmq() {
	local m
	uplink "${1}0"
	ip link add "${1}a" type vmq
	ip link set "${1}0" master "${1}a"
	ip link add link "${1}a" name "${1}p" address "$mac" type vmqport
	sink "${1}p"
	for m in $(others "$2"); do
		ip link add link "${1}a" name "$1${m//:/}" address "$m" type vmqport
	done
}
setup_vmq() { vmq v 31; }
setup_vmq_rules() {
	local i
	vmq r 31
	for ((i = 0; i < 1000; i++)); do
		ethtool -N ra flow-type ether dst "$(printf '52:54:00:02:%02x:%02x' $((i / 256)) $((i % 256)))" \
			vlan $((i + 1)) m 0xf000 action 40 >/dev/null
	done
}
setup_vmq_ntuple() {
	vmq t 31
	ethtool -N ta flow-type tcp4 dst-port 80 action 40 >/dev/null
}

device() {
	case $1 in
	nothing) echo n0 ;; macvlan) echo m0 ;; bridge) echo b0 ;;
	vmq) echo v0 ;; vmq_rules) echo r0 ;; vmq_ntuple) echo t0 ;;
	esac
}

# measure CONTENDER: nanoseconds a frame
measure() {
	local dev
	dev=$(device "$1")
	echo rem_device_all >/proc/net/pktgen/kpktgend_0
	echo "add_device $dev" >/proc/net/pktgen/kpktgend_0
	for set in "count $frames" "xmit_mode netif_receive" "burst 32" "pkt_size 60" \
		"dst_mac $mac" "dst 10.9.9.9" "src_min 10.9.9.1" "src_max 10.9.9.1" "delay 0"; do
		echo "$set" >"/proc/net/pktgen/$dev"
	done
	echo start >/proc/net/pktgen/pgctrl
	sed -n 's/.* \([0-9]*\)pps .*/\1/p' "/proc/net/pktgen/$dev" |
		awk '{ printf "%.1f\n", 1e9 / $1 }'
}

median() {
	sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

contenders="nothing macvlan bridge vmq vmq_rules vmq_ntuple"
for c in $contenders; do "setup_$c"; done
tmp=$(mktemp -d)
for c in $contenders; do measure "$c" >/dev/null; done
for ((r = 1; r <= rounds; r++)); do
	echo "round $r of $rounds" >&2
	for c in $contenders; do measure "$c" >>"$tmp/$c"; done
done

base=$(median <"$tmp/nothing")
mv=$(median <"$tmp/macvlan")
br=$(median <"$tmp/bridge")
echo "ns a frame without pktgen and tc ($base ns), median of $rounds rounds of $frames frames;"
echo "32 receivers each; vmq_rules: 1,000 MAC+VLAN filters more; vmq_ntuple: one n-tuple rule more"
printf '%-12s %10s %12s %12s\n' "" ns/frame "of macvlan" "of bridge"
for c in macvlan bridge vmq vmq_rules vmq_ntuple; do
	median <"$tmp/$c" | awk -v c="$c" -v base="$base" -v mv="$mv" -v br="$br" \
		'{ t = $1 - base; printf "%-12s %10.1f %12.2f %12.2f\n", c, t, t / (mv - base), t / (br - base) }'
done
