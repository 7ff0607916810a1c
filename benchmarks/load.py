"""Keeps some connections to a local server busy: `python -m benchmarks.load PORT SECONDS FILE`.

FILE is a JSON list of [path, {header: value}], asked in turn on eight connections that stay open. One process, one
loop, no parsing but of the status and the length, so that the server is the slower side. Prints JSON.
"""

from __future__ import annotations

import json
import selectors
import socket
import sys
import time
from collections import Counter
from itertools import cycle
from pathlib import Path

CONNECTIONS = 8


def main(port: int, seconds: float, path: str) -> None:
    targets = json.loads(Path(path).read_text())
    requests = cycle([_request(target, headers) for target, headers in targets])
    selector = selectors.DefaultSelector()
    for _ in range(CONNECTIONS):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(next(requests))
        selector.register(connection, selectors.EVENT_READ, bytearray())
    statuses: Counter[str] = Counter()
    received, start = 0, time.perf_counter()
    until = start + seconds
    while (now := time.perf_counter()) < until:
        for key, _ in selector.select(until - now):
            connection, buffer = key.fileobj, key.data
            assert isinstance(connection, socket.socket)
            chunk = connection.recv(1 << 18)
            if not chunk:
                raise SystemExit(f"the server closed a connection after {sum(statuses.values()):,} answers")
            buffer += chunk
            length = _whole(buffer)
            if length is not None and len(buffer) >= length:
                statuses[bytes(buffer[9:12]).decode()] += 1
                received += length
                buffer.clear()
                connection.sendall(next(requests))
    seconds = time.perf_counter() - start
    count = sum(statuses.values())
    print(json.dumps({"answers": count, "seconds": seconds, "statuses": statuses, "bytes": received // max(1, count)}))


def _request(target: str, headers: dict[str, str]) -> bytes:
    lines = [f"GET {target} HTTP/1.1", "Host: localhost", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _whole(buffer: bytearray) -> int | None:
    """How long the answer is; None while its head is not whole."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = bytes(buffer[:end]).lower()
    place = head.find(b"content-length: ")
    if place < 0:
        return end + 4  # a 304 has no body
    return end + 4 + int(head[place + 16 :].split(b"\r\n", 1)[0])


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3])
