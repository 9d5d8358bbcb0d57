"""An S3 service that fails now and then, as networks and services do: a proxy before one that does not.

Belongs here: spoiling a share of the answers by a seed, in the ways that are met.
Does not: what is kept (the server behind it), expectations (test_*.py).
"""

from __future__ import annotations

import http.client
import random
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

WAYS = ("500", "503", "slow", "half", "reset")
SLOW_SECONDS = 1.5
BEFORE = 0.5
"""A reset comes before the service has heard the request or after it has done it, half of the times each."""


@dataclass
class Faults:
    """Which answers are spoilt and how; `seen` counts what was done."""

    way: str
    share: float
    chance: random.Random
    url: str = ""
    seen: Counter[str] = field(default_factory=Counter)
    guard: threading.Lock = field(default_factory=threading.Lock)

    def draw(self) -> tuple[str, float]:
        """How to spoil this answer (empty: not at all), and a number to decide more by."""
        with self.guard:
            way = self.way if self.chance.random() < self.share else ""
            self.seen[way or "whole"] += 1
            return way, self.chance.random()


class _Proxy(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    faults: Faults
    behind: str

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        way, number = self.faults.draw()
        if way == "slow":
            time.sleep(SLOW_SECONDS)
        if way == "reset" and number < BEFORE:
            self._reset()
            return
        if way in ("500", "503"):
            self._answer(int(way), [], b"<Error><Code>SlowDown</Code></Error>")
            return
        status, headers, data = self._ask(body)
        if way == "reset":
            self._reset()
            return
        self._answer(status, headers, data, cut=way == "half")

    def _ask(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(self.behind, timeout=120)
        try:
            connection.request(self.command, self.path, body, dict(self.headers))
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    def _answer(self, status: int, headers: list[tuple[str, str]], data: bytes, cut: bool = False) -> None:
        own = ("content-length", "transfer-encoding", "connection", "date", "server")
        told = dict(headers).get("Content-Length", str(len(data))) if self.command == "HEAD" else str(len(data))
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in own:
                self.send_header(name, value)
        self.send_header("Content-Length", told)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data[: len(data) // 2] if cut else data)
        self.close_connection = cut

    def _reset(self) -> None:
        # Linger of zero seconds: closing sends RST, not the end of the stream.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def __getattr__(self, name: str) -> Callable[[], None]:
        if name.startswith("do_"):  # Every method is passed on alike.
            return self._pass_on
        raise AttributeError(name)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing: clients that were cut off close as they like."""


@contextmanager
def faulty(endpoint: str, way: str, share: float, seed: int) -> Iterator[Faults]:
    """A service at an address of its own that answers as `endpoint` does, but for a share of its answers."""
    faults = Faults(way, share, random.Random(seed))
    handler = type("Proxy", (_Proxy,), {"faults": faults, "behind": urlsplit(endpoint).netloc})
    server = _Server(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    faults.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield faults
    finally:
        server.shutdown()
        server.server_close()
