#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The other end of a machine's wires, for wire.py: sends what it is asked to
send, keeps what comes.

Started outside of the machine by `tools/testvm/run --outside`. wire.py in there
leaves requests as files in $VMQ_OUT/outside:

    N.request   {"op": "send", "wire": 0, "frames": [hex, ...]}
                {"op": "take", "wire": 0}: frames that came since the last time
    N.answer    {"frames": [hex, ...]} or {"error": text}

A file appears under its name when it is complete. `ready` says that all wires
are there.
"""

import collections
import json
import os
import pathlib
import select
import sys
import traceback

CLONE = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(CLONE / "tools/testvm"))

from wire import Wire      # noqa: E402  pylint: disable=wrong-import-position

OUT = pathlib.Path(os.environ["VMQ_OUT"])
PLACE = OUT / "outside"
INTERVAL = 0.02
MOST_FRAMES = 20000      # of a wire that nobody takes from


class Outside:
    def __init__(self):
        self.wires = []
        while f"VMQ_WIRE{len(self.wires)}" in os.environ:
            self.wires.append(Wire(len(self.wires)))
        self.came = [collections.deque(maxlen=MOST_FRAMES)
                     for _ in self.wires]

    def receive(self, timeout):
        sockets = [wire.socket for wire in self.wires]
        ready = select.select(sockets, [], [], timeout)[0]
        for wire, came in zip(self.wires, self.came):
            if wire.socket in ready:
                while (frame := wire.recv(0)) is not None:
                    came.append(frame)

    def answer(self, request):
        number = request["wire"]
        if request["op"] == "send":
            for frame in request["frames"]:
                self.wires[number].send(bytes.fromhex(frame))
            return {"frames": []}
        if request["op"] == "take":
            self.receive(0)
            frames = [frame.hex() for frame in self.came[number]]
            self.came[number].clear()
            return {"frames": frames}
        raise ValueError(f"what is {request['op']}?")

    def requests(self):
        for path in sorted(PLACE.glob("*.request")):
            try:
                answer = self.answer(json.loads(path.read_text()))
            except Exception:      # pylint: disable=broad-except
                answer = {"error": traceback.format_exc()}
            path.unlink()
            put(path.with_suffix(".answer"), json.dumps(answer))

    def close(self):
        for wire in self.wires:
            wire.close()


def put(path, text):
    new = path.with_suffix(".new")
    new.write_text(text)
    new.rename(path)


def main():
    PLACE.mkdir(exist_ok=True)
    for path in PLACE.iterdir():
        path.unlink()
    outside = Outside()
    put(PLACE / "ready", str(len(outside.wires)))
    # the machine's last word is its status
    while not (OUT / ".testvm/status").exists():
        outside.receive(INTERVAL)
        outside.requests()
    outside.close()


if __name__ == "__main__":
    main()
