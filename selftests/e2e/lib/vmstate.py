# SPDX-License-Identifier: GPL-2.0
"""vmq-vmstate beside a QEMU process."""

import pathlib
import subprocess

from stage import wait_for

RUN = pathlib.Path("/run/vmstate")


class Helper:
    """vmq-vmstate for one port, on a bus of its own; `id` is what both hosts
    call the port."""

    def __init__(self, name, port, ident="vm1", prefix=""):
        RUN.mkdir(exist_ok=True)
        self.path = RUN / name
        self.log = RUN / f"{name}.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                f"{prefix}vmq-vmstate --private {self.path} {port}={ident}"
                .split(), stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT)
        wait_for("vmq-vmstate is ready", self.ready)

    def said(self):
        return self.log.read_text()

    def ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"vmq-vmstate ended: {self.said()}")
        return "ready" in self.said()

    def end(self):
        """-> its exit status"""
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(60)
