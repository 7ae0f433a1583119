# SPDX-License-Identifier: GPL-2.0
"""TCP between two network namespaces of one process."""

import contextlib
import hashlib
import socket
import threading
import time


def transfer(client_ns, server_ns, address, size, port=5001, timeout=90,
             source=None):
    """Sends `size` bytes from one to the other; -> (equal, seconds)

    `client_ns` and `server_ns` are NetNS or contextlib.nullcontext().
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with server_ns:
        listener = socket.create_server((address, port), family=family)
    listener.settimeout(timeout)
    got = hashlib.blake2b()
    count = 0

    def receive():
        nonlocal count
        connection, _ = listener.accept()
        connection.settimeout(timeout)
        with connection, contextlib.suppress(OSError):
            while data := connection.recv(1 << 18):
                got.update(data)
                count += len(data)

    thread = threading.Thread(target=receive, daemon=True)
    thread.start()
    begin = time.monotonic()
    sent = hashlib.blake2b()
    block = bytes(range(256)) * 1024
    with client_ns:
        sock = socket.create_connection(
            (address, port), timeout, (source, 0) if source else None)
    with sock:
        left = size
        while left:
            part = block[:min(left, len(block))]
            sock.sendall(part)
            sent.update(part)
            left -= len(part)
        sock.shutdown(socket.SHUT_WR)
        thread.join(timeout)
    listener.close()
    return (count == size and got.digest() == sent.digest(),
            time.monotonic() - begin)
