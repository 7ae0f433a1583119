#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What a maintainer's machine would complain about, as KTAP: checkpatch, sparse,
# W=1 and kernel-doc on the oldest and the newest kernel, shellcheck, generated
# files. Details of a failure go to a directory of the clone's own in $VMQ_CACHE/check/.
set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
testvm=$top/tools/testvm/run
logs=${VMQ_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/vmq}/check/$(printf %s "$top" | sha256sum | cut -c1-6)
cd "$top" || exit 1
mkdir -p "$logs"

n=0
failed=0
since=0

# report NAME LOG: ok if the log is empty
report() {
	n=$((n + 1))
	echo "# $((SECONDS - since)) s: $1"
	since=$SECONDS
	if [ -s "$2" ]; then
		failed=$((failed + 1))
		echo "not ok $n $1"
		head -n 40 "$2" | sed 's/^/# /'
		echo "# all of it: $2"
	else
		echo "ok $n $1"
	fi
}

# tracked files and new ones, but for those that git ignores or that are gone
files() {
	git ls-files --cached --others --exclude-standard -- "$@" |
		while read -r f; do [ -e "$f" ] && echo "$f"; done
}

source=$("$testvm" --print source 7.3) || exit 1

generated() {
	local out
	out=$(mktemp -d)
	"$top/tools/build/gen.sh" "$out" 2>&1
	for f in include/uapi/linux/vmq.h drivers/net/vmq/genl_gen.h drivers/net/vmq/genl_gen.c; do
		diff -u "$f" "$out/$f"
	done
	rm -rf "$out"
}

# What a tool had nothing to say about, it need not see again: an empty file has the
# hash of all that its answer depends on, the name and content of the file, too.
clean_dir=${logs%/*}/clean
mkdir -p "$clean_dir"
find "$clean_dir" -type f -mtime +30 -delete

# shellcheck disable=SC2317 # each() calls what calls it
stamp() {
	printf '%s/%s\n' "$clean_dir" \
		"$({ echo "$source" "$2"; declare -f "$1"; cat "$2"; } | sha256sum | cut -c1-40)"
}

# shellcheck disable=SC2317
known() {
	local file
	file=$(stamp "$1" "$2")
	[ -e "$file" ] && touch "$file"
}

# shellcheck disable=SC2317
clean_if_empty() {
	local said
	said=$(cat)
	if [ "$said" ]; then echo "$said"; else : >"$(stamp "$1" "$2")"; fi
}

# kzalloc_obj() is not in 6.12; compat.h is where versions are looked at.
# shellcheck disable=SC2317 # each() calls it
style_of() {
	local f ignore
	for f; do
		known style_of "$f" && continue
		ignore=ALLOC_WITH_SIZEOF,FILE_PATH_CHANGES,SPDX_LICENSE_TAG
		case $f in
		*/compat.h) ignore=$ignore,LINUX_VERSION_CODE,CONSTANT_COMPARISON ;;
		*/*_gen.[ch] | include/uapi/*) continue ;;
		esac
		"$source/scripts/checkpatch.pl" --no-tree --strict --terse --show-types \
			--no-summary --ignore "$ignore" -f "$f" 2>&1 | clean_if_empty style_of "$f"
	done
}

# shellcheck disable=SC2317 # each() calls it
kernel_doc_of() {
	local f
	for f; do
		case $f in
		*_gen.[ch] | */tests/* | include/uapi/*) continue ;;
		esac
		known kernel_doc_of "$f" && continue
		/usr/bin/python3 "$source/scripts/kernel-doc" -none -Wall "$f" 2>&1 | grep -v ' info: ' |
			clean_if_empty kernel_doc_of "$f"
	done
}

# each FUNCTION: it gets the module's sources, some at a time, on every CPU
each() {
	export source clean_dir
	export -f "${1?}" stamp known clean_if_empty
	files 'drivers/*.[ch]' 'include/*.h' | xargs -P "$(nproc)" -n 12 bash -c "$1 \"\$@\"" -
}

style() { each style_of; }
kernel_doc() { each kernel_doc_of; }

# build MACHINE: the build that its tests use; a warning of compiler or sparse ends it
build() {
	"$testvm" --build "$1" >"$logs/build-$1.log" 2>&1 || tail -n 60 "$logs/build-$1.log"
}

# the guide's extension, built as the guide says
example() {
	local dir tree=$logs/example vmq
	dir=$("$testvm" --print kerneldir qemu)
	vmq=$(tail -n 1 "$logs/build-qemu.log")
	rm -rf "$tree"
	mkdir -p "$tree"
	cp Documentation/networking/vmq/example_ext.c "$tree/"
	# shellcheck disable=SC2016 # make expands it
	printf 'obj-m := example_ext.o\nccflags-y := -I$(VMQ)/include\n' >"$tree/Kbuild"
	if ! make -C "$dir" M="$tree" VMQ="$vmq" KBUILD_EXTRA_SYMBOLS="$vmq/Module.symvers" \
		W=1 C=2 modules >"$logs/example.make" 2>&1; then
		tail -n 20 "$logs/example.make"
	fi
	grep -E 'warning|error|undefined' "$logs/example.make" | grep -v 'Skipping BTF' |
		grep "$tree\|^ERROR\|undefined"
	style_of Documentation/networking/vmq/example_ext.c
}

shell() {
	local f
	while read -r f; do
		head -n 1 "$f" 2>/dev/null | grep -qE '^#!.*/(env )?(ba)?sh' && shellcheck -x -P SCRIPTDIR "$f" 2>&1
	done < <(files '*.sh' '.ci/*' 'tools/*' 'selftests/*' 'Documentation/*')
}

python() {
	local f
	while read -r f; do
		case $f in *.py) ;; *) head -n 1 "$f" | grep -q 'python3' || continue ;; esac
		/usr/bin/python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read(), sys.argv[1])' "$f" 2>&1
	done < <(files 'tools/*' 'selftests/*')
}

user_space() {
	local tool
	for tool in vmqctl vmq-vmstate; do
		# another clone may have been here, whose files are gone
		rm -rf "${logs:?}/$tool"
		mkdir -p "$logs/$tool"
		make -s -C "tools/$tool" O="$logs/$tool" CFLAGS='-O2 -g -Wall -Wextra -Wshadow -Werror' 2>&1
	done
}

offline() {
	/usr/bin/python3 tools/vmqctl/tests/offline.py "$logs/vmqctl/vmqctl" >"$logs/offline.tap" 2>&1
	grep -B 5 '^not ok\|^Bail' "$logs/offline.tap"
	grep -q '^ok' "$logs/offline.tap" || cat "$logs/offline.tap"
	/usr/bin/python3 tools/libvirt/tests/offline.py >"$logs/hook.tap" 2>&1 || cat "$logs/hook.tap"
}

runner() {
	/usr/bin/python3 selftests/runner/offline.py >"$logs/runner.tap" 2>&1 || cat "$logs/runner.tap"
}

# a minute of libFuzzer in all, beside the builds
fuzz() {
	local out=$logs/fuzz
	mkdir -p "$out"
	rsync -aR --delete --exclude='*_fuzz' --exclude='*_damage' tools/fuzz \
		drivers/net/vmq/*.[ch] drivers/net/vmq/ext/*.[ch] include "$out/"
	make -s -C "$out/tools/fuzz" run SECONDS=60 >"$out/log" 2>&1 || tail -n 20 "$out/log"
}

old_kernel() {
	local dir
	dir=$(mktemp -d)
	printf 'kernelversion:\n\t@echo 6.1.0\n' >"$dir/Makefile"
	if tools/build/kernel-version.sh "$dir" >"$dir/out" 2>&1; then
		echo "an old kernel was accepted"
	elif [ "$(wc -l <"$dir/out")" != 1 ] || ! grep -q 'needs Linux 6.12' "$dir/out"; then
		cat "$dir/out"
	fi
	rm -rf "$dir"
}

long_files() {
	files 'drivers/*.[ch]' 'tools/*.[ch]' 'include/*.h' | grep -v '_gen\.\|^include/uapi/' | xargs wc -l |
		awk '$2 != "total" && $1 > ($2 ~ /_test\.c$/ ? 800 : 700) { print $2 ": " $1 " lines, more than one concern?" }'
}

# README.md says where to look; a source file that is not there will not be found
map() {
	local f pattern found
	while read -r f; do
		found=
		while read -r pattern; do
			# shellcheck disable=SC2053 # a pattern it is
			[[ ${f#drivers/net/vmq/} == $pattern ]] && found=1
		done < <(tr '`' '\n' <README.md | grep '^[^ ]*\.[^ ]*$')
		[ "$found" ] || echo "$f is not in the table of README.md"
	done < <(files 'drivers/net/vmq/*.c' | grep -v /tests/)
}

echo "TAP version 13"
echo "1..16"
fuzz >"$logs/fuzz-log" 2>&1 &
fuzzers=$!
tools/build/conformance.py >"$logs/conformance" 2>&1
report "conformance.rst: every requirement once, tests that exist" "$logs/conformance"
generated >"$logs/generated" 2>&1;		report "generated files are up to date" "$logs/generated"
style >"$logs/checkpatch" 2>&1;			report "checkpatch --strict" "$logs/checkpatch"
kernel_doc >"$logs/kernel-doc" 2>&1;		report "kernel-doc" "$logs/kernel-doc"
build qemu >"$logs/build-6.12";			report "W=1 and sparse, distribution's Linux 6.12" "$logs/build-6.12"
example >"$logs/example-log" 2>&1;		report "the example extension of the guide" "$logs/example-log"
build uml-debug >"$logs/build-7.3";		report "W=1 and sparse, Linux 7.3 with the KUnit suites" "$logs/build-7.3"
shell >"$logs/shellcheck" 2>&1;			report "shellcheck" "$logs/shellcheck"
python >"$logs/python" 2>&1;			report "Python parses" "$logs/python"
user_space >"$logs/user-space" 2>&1;		report "the tools build without a warning" "$logs/user-space"
runner >"$logs/runner" 2>&1;			report "the tests' runner: order of jobs, and it ends all that it started" "$logs/runner"
offline >"$logs/offline" 2>&1;			report "vmqctl and the libvirt hook, what needs no kernel" "$logs/offline"
wait "$fuzzers"
report "fuzzers of stream, core, acl, guard and meter, 60 s" "$logs/fuzz-log"
old_kernel >"$logs/old-kernel" 2>&1;		report "an old kernel is refused in one line" "$logs/old-kernel"
long_files >"$logs/long-files" 2>&1;		report "one concern a file" "$logs/long-files"
map >"$logs/map" 2>&1;				report "README.md says where each source file is" "$logs/map"
exit $((failed > 0))
