#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The other end of the wires of the machine qemu, outside of it.

wire.py in there asks by frames of EtherType 0x88b6:

    S (length frame)...   send these frames
    G                     give what came in since the last G: an F for each,
                          with the frame, then an E with the number of frames

Everything else that comes in is kept for the next G.
"""

import os
import struct
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "../../tools/testvm"))

from wire import Wire     # noqa: E402  pylint: disable=wrong-import-position

CONTROL = b"\x88\xb6"
HEAD = b"\xff" * 6 + b"\x52\x54\0\0\xee\xee" + CONTROL


def serve(number):
    kept = []
    with Wire(number) as wire:
        while True:
            frame = wire.recv(3600)
            if frame is None:
                continue
            if frame[12:14] != CONTROL:
                kept.append(frame)
                continue
            kind, data = frame[14:15], frame[15:]
            if kind == b"S":
                while len(data) > 2 and (
                        length := struct.unpack_from("!H", data)[0]):
                    wire.send(data[2:2 + length])
                    data = data[2 + length:]
                wire.send(HEAD + b"D")
            elif kind == b"G":
                for each in kept:
                    wire.send(HEAD + b"F" + struct.pack("!H", len(each)) +
                              each[:1400])
                wire.send(HEAD + b"E" + struct.pack("!H", len(kept)))
                kept.clear()


def main():
    threads = []
    number = 0
    while f"VMQ_WIRE{number}" in os.environ:
        threads.append(threading.Thread(target=serve, args=(number,)))
        threads[-1].start()
        number += 1
    for each in threads:
        each.join()


if __name__ == "__main__":
    main()
