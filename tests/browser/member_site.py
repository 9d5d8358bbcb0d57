"""A running member's page, and a client that speaks to it as a browser does.

Belongs here: starting and ending `cradle serve`, links of `cradle invite`, forms and cookies over a socket.
Does not: expectations (test_member_page*.py).
"""

from __future__ import annotations

import html
import http.client
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support import PROJECT, clean_environment
from tests.warm import warm_cradle

SECRET = "an invented secret of more than thirty-two characters"
CALL = "from dagster_project.cli.main import main; main()"
BOUNDARY = "----an-invented-boundary"


@dataclass(frozen=True)
class Site:
    """A page on a port, and the settings it runs with."""

    port: int
    settings: Mapping[str, str | Path]
    pid: int

    @property
    def address(self) -> str:
        """Where a browser opens it."""
        return f"http://127.0.0.1:{self.port}"

    def link(self, community: str, *more: str) -> str:
        """A link as `cradle invite` prints it."""
        return warm_cradle("invite", community, "--at", self.address, *more, **self.settings).stdout.strip()

    def drop(self) -> dict[str, bytes]:
        """What lies in the drop bucket, by path."""
        root = Path(self.settings["CRADLE_HOME"]) / "drop"
        return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}

    def left_over(self, words: bytes) -> list[Path]:
        """Files of the home that hold some words."""
        home = Path(self.settings["CRADLE_HOME"])
        return [path for path in home.rglob("*") if path.is_file() and words in path.read_bytes()]


@contextmanager
def serving(home: Path, today: str, **more: str) -> Iterator[Site]:
    """A member's page over a home, until the block ends."""
    (home / "drop").mkdir(parents=True, exist_ok=True)
    settings: dict[str, str | Path] = {
        "CRADLE_HOME": home, "CRADLE_SEEDS": PROJECT / "seeds", "CRADLE_TODAY": today, "CRADLE_SERVE_SECRET": SECRET,
        "CRADLE_SETTLE_SECONDS": "0", **more,
    }  # fmt: skip
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", CALL, "serve", "--port", str(port)]
    process = subprocess.Popen(command, env=clean_environment(**settings), cwd=PROJECT)
    try:
        _until_open(port, process)
        yield Site(port, settings, process.pid)
    finally:
        process.terminate()
        process.wait(timeout=60)


def _until_open(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the page did not open")


@dataclass
class Visitor:
    """Somebody with a browser: keeps the cookie, sends the mark of the form."""

    site: Site
    headers: dict[str, str] = field(default_factory=dict)
    told: str = ""

    def ask(
        self, method: str, path: str, body: bytes = b"", **headers: str
    ) -> tuple[int, http.client.HTTPMessage, str]:
        """One request: status, headers, text."""
        connection = http.client.HTTPConnection("127.0.0.1", self.site.port, timeout=120)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body or None, {**self.headers, **named})
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
        connection.close()
        return answer.status, answer.headers, text

    def enter(self, link: str) -> int:
        """Open a link and keep its cookie; the status."""
        status, headers, _ = self.ask("GET", link.removeprefix(self.site.address))
        if cookie := headers.get("set-cookie"):
            self.headers["cookie"] = cookie.split(";")[0]
        return status

    def mark(self, year: int) -> str:
        """The mark of the forms of a year's page."""
        found = re.search(r'name="mark" value="(\w+)"', self.ask("GET", f"/year/{year}")[2])
        return found[1] if found else ""

    def tag(self, year: int, name: str) -> str:
        """The version of a file that the year's page shows."""
        found = re.search(rf'name="name" value="{re.escape(name)}"><input type="hidden" name="tag" value="([^"]*)"',
                          self.ask("GET", f"/year/{year}")[2])  # fmt: skip
        return html.unescape(found[1]) if found else ""

    def check(self, year: int, files: Sequence[tuple[str, bytes]], mark: str | None = None) -> tuple[int, str]:
        """Choose files and check them: status and the address of what the check said, or the page's words.

        As in a browser the answer leads to the page that waits for the check; `told` is what it then holds.
        """
        body, kind = multipart({"mark": self.mark(year) if mark is None else mark}, files)
        status, headers, text = self.ask("POST", f"/year/{year}/check", body, content_type=kind)
        place = headers.get("location")
        self.told = self.ask("GET", place)[2] if place else text
        return status, place or text

    def send(self, path: str, year: int, do: str = "send") -> int:
        """Decide on files that were checked."""
        body, kind = multipart({"mark": self.mark(year), "do": do}, [])
        return self.ask("POST", path, body, content_type=kind)[0]


def multipart(fields: Mapping[str, str], files: Sequence[tuple[str, bytes]]) -> tuple[bytes, str]:
    """A form's body and its content type."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n'.encode() for k, v in fields.items()
    ]
    for name, data in files:
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n'
        parts.append(f"{head}Content-Type: application/octet-stream\r\n\r\n".encode() + data + b"\r\n")
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode(), f"multipart/form-data; boundary={BOUNDARY}"
