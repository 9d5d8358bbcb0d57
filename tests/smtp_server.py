"""A mail server on a port of this machine, for tests that send.

Belongs here: as much of SMTP as a client needs, and what the server was sent.
Does not: expectations (unit/monitoring/test_mail.py, unit/cli/test_cli_mail.py).
"""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class _Running(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.kept: list[bytes] = []


class _Conversation(socketserver.StreamRequestHandler):
    """Keeps what it is sent; refuses an address that begins with `refused`, and offers no TLS."""

    server: _Running

    def handle(self) -> None:
        self.say("220 here")
        while line := self.rfile.readline():
            word = line[:4].upper()
            if word == b"DATA":
                self.say("354 go on")
                self.server.kept.append(b"".join(iter(self.rfile.readline, b".\r\n")))
            refused = word == b"RCPT" and b"<refused" in line
            self.say("550 no" if refused else "221 bye" if word == b"QUIT" else "250 ok")

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@contextmanager
def serving_mail() -> Iterator[tuple[str, list[bytes]]]:
    """The address of a running server as CRADLE_SMTP_URL takes it, and what it was sent."""
    with _Running() as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"smtp://127.0.0.1:{running.server_address[1]}/?from=network@example.org", running.kept
        running.shutdown()
