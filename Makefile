# SPDX-License-Identifier: GPL-2.0
# vmq: virtual machine queues for KVM hosts. "make help" lists the targets.

PREFIX   ?= /usr/local
KERNELDIR ?= /lib/modules/$(shell uname -r)/build
# where a test build and all downloads live, outside of the clone
export VMQ_CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/vmq

TESTVM   := tools/testvm/run
MODULES_OK := test -e $(KERNELDIR)/Makefile || \
	{ echo "no kernel headers at $(KERNELDIR): install linux-headers-$$(uname -r) or give KERNELDIR=" >&2; exit 1; }

SYSTEMD_OK := pkg-config --exists libsystemd

all: modules tools	## the module (against KERNELDIR) and the tools

modules:		## the module alone
	@$(MODULES_OK)
	@tools/build/kernel-version.sh $(KERNELDIR)
	$(MAKE) -C $(KERNELDIR) M=$(CURDIR) modules

tools:			## vmqctl, needs libmnl-dev; vmq-vmstate, needs libsystemd-dev too
	$(MAKE) -C tools/vmqctl
	@if $(SYSTEMD_OK); then $(MAKE) -C tools/vmq-vmstate; \
	else echo "no libsystemd: vmq-vmstate is not built" >&2; fi

install: modules	## module, tools and manual pages (DESTDIR, PREFIX)
	$(MAKE) -C $(KERNELDIR) M=$(CURDIR) INSTALL_MOD_PATH=$(DESTDIR) \
		INSTALL_MOD_DIR=updates modules_install
	$(MAKE) -C tools/vmqctl install DESTDIR=$(DESTDIR) PREFIX=$(PREFIX)
	@if $(SYSTEMD_OK); then $(MAKE) -C tools/vmq-vmstate install \
		DESTDIR=$(DESTDIR) PREFIX=$(PREFIX); fi

clean:			## remove what was built here; the cache stays
	@if test -e $(KERNELDIR)/Makefile; then \
		$(MAKE) -C $(KERNELDIR) M=$(CURDIR) clean; fi
	$(MAKE) -C tools/vmqctl clean
	$(MAKE) -C tools/vmq-vmstate clean
	$(MAKE) -C tools/fuzz clean

gen:			## generated files, from Documentation/netlink/specs/vmq.yaml
	tools/build/gen.sh

check: deps		## checkpatch, sparse, W=1, kernel-doc, shellcheck, generated files
	tools/build/check.sh

fuzz: deps		## libFuzzer on all that reads a stream, SECONDS=60
	$(MAKE) -C tools/fuzz run

kunit: deps		## KUnit suites: UML, newest kernel, KASAN, lockdep, kmemleak
	selftests/run kunit

selftests: deps		## selftests: UML, and QEMU with the distribution's kernel
	selftests/run selftests

upstream: deps		## the kernel's own selftests for drivers, on an adapter
	selftests/run upstream

soak: deps		## a port moves 1,000 times under traffic, on the debug kernel
	VMQ_SOAK_ROUNDS=1000 selftests/run selftests --machine uml-debug -k soak

e2e: deps		## end to end: a real QEMU guest on a port, that moves 20 times
	VMQ_E2E_ROUNDS=$${VMQ_E2E_ROUNDS:-20} selftests/run e2e

test: deps		## check, kunit, selftests and e2e; FULL=1: all topics on both machines
	selftests/run all $(if $(FULL),--full)

demo: deps		## two guests, a flow rule, an ACL, and a port that moves
	tools/demo/demo

bench: deps		## what a frame costs, beside macvlan, bridge and others; FULL=1: all tables
	tools/bench/bench $(if $(FULL),--full)

deps:
	@tools/testvm/deps

help:			## this text
	@sed -n 's/^\([a-z0-9]*\):[^#]*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | \
		while IFS="$$(printf '\t')" read -r t d; do printf '  %-12s %s\n' "$$t" "$$d"; done

.PHONY: all modules tools install clean gen check fuzz kunit selftests upstream soak e2e test demo bench deps help
