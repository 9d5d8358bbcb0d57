"""A store whose answers are cut, refused or slow for a while: what is asked is answered in full, or said in one line.

Belongs here: one small S3 server of the test's own that spoils the first answers of a kind.
Does not: what an intake does with a bucket at fault (tests/unit/intake/test_bucket_fault.py), real servers.
"""

from __future__ import annotations

import re
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import polars as pl
import pytest

from dagster_project.lib.base.store import Store, StoreError
from dagster_project.lib.intake.bucket.ledger import EVENTS, Ledger

RANGE = re.compile(r"bytes=(\d+)-(\d*)")
MEBIBYTE = 2**20
BODY = bytes(range(256)) * 4096


@dataclass
class Bucket:
    """Objects of one bucket, and how many answers of a kind (get, list, put) are spoilt, and how."""

    objects: dict[str, bytes] = field(default_factory=dict)
    spoilt: dict[str, tuple[str, int]] = field(default_factory=dict)
    asked: dict[str, int] = field(default_factory=dict)
    parts: dict[int, bytes] = field(default_factory=dict)
    url: str = ""

    def fault_next(self, kind: str) -> str:
        """How the next answer of a kind will be spoilt."""
        how, times = self.spoilt.get(kind, ("", 0))
        return how if self.asked.get(kind, 0) < times else ""

    def fault(self, kind: str) -> str:
        """How to spoil this answer; empty where it is not."""
        self.asked[kind] = self.asked.get(kind, 0) + 1
        how, times = self.spoilt.get(kind, ("", 0))
        return how if self.asked[kind] <= times else ""


def tag(data: bytes) -> str:
    """The version of an object."""
    return f'"{len(data)}"'


class _Handler(BaseHTTPRequestHandler):
    bucket: Bucket
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def _answer(self, kind: str, status: int, body: bytes = b"", **headers: str) -> None:
        fault = self.bucket.fault(kind)
        if fault in ("unheard", "reset"):
            # Linger of zero seconds: closing sends RST, not the end of the stream.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()
            return
        if fault == "503":
            status, body = 503, b"<Error><Code>SlowDown</Code></Error>"
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if fault == "cut":
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
            return
        self.wfile.write(body)

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        key = parts.path.removeprefix("/bucket").strip("/")
        if "list-type" in parse_qs(parts.query):
            rows = "".join(
                f"<Contents><Key>{name}</Key><LastModified>2024-01-01T00:00:00.000Z</LastModified>"
                f"<ETag>&quot;{len(data)}&quot;</ETag><Size>{len(data)}</Size></Contents>"
                for name, data in sorted(self.bucket.objects.items())
            )
            text = f"<ListBucketResult><Name>bucket</Name><IsTruncated>false</IsTruncated>{rows}</ListBucketResult>"
            self._answer("list", 200, text.encode(), Content_Type="application/xml")
        elif key in self.bucket.objects:
            self._object(self.bucket.objects[key])
        else:
            self._answer("none", 404, b"<Error><Code>NoSuchKey</Code></Error>")

    def _object(self, data: bytes) -> None:
        tags = {"ETag": '"x"', "Last_Modified": "Mon, 01 Jan 2024 00:00:00 GMT"}
        asked = RANGE.fullmatch(self.headers.get("Range", ""))
        if not asked:
            self._answer("get", 200, data, **tags)
            return
        first, last = int(asked[1]), int(asked[2] or len(data) - 1)
        told = {"Content_Range": f"bytes {first}-{last}/{len(data)}"}
        self._answer("get", 206, data[first : last + 1], **tags, **told)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_PUT(self) -> None:
        key = urlsplit(self.path).path.removeprefix("/bucket").strip("/")
        data = self.rfile.read(int(self.headers["Content-Length"]))
        part = parse_qs(urlsplit(self.path).query).get("partNumber")
        if part:
            self.bucket.parts[int(part[0])] = data
            self._answer("part", 200, ETag='"x"')
            return
        there = self.bucket.objects.get(key)
        if self.headers.get("If-None-Match") == "*" and there is not None:
            self._answer("put", 412)
            return
        if (wanted := self.headers.get("If-Match")) and (there is None or wanted != tag(there)):
            self._answer("put", 412)
            return
        if self.bucket.fault_next("put") == "unheard":
            self._answer("put", 200)
            return
        self.bucket.objects[key] = data
        self._answer("put", 200, ETag=tag(data))

    def do_POST(self) -> None:
        """An upload in parts: begun, and ended."""
        parts = urlsplit(self.path)
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        key = parts.path.removeprefix("/bucket").strip("/")
        if "uploads" in parts.query:
            self.bucket.parts.clear()
            self._answer(
                "begin", 200, b"<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>"
            )
            return
        self.bucket.objects[key] = b"".join(data for _, data in sorted(self.bucket.parts.items()))
        self._answer("end", 200, b"<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>")

    def do_DELETE(self) -> None:
        """Of an upload that was begun and not heard of, nothing is known."""
        self._answer("none", 404, b"<Error><Code>NoSuchUpload</Code></Error>")


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    held = Bucket()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"bucket": held}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    held.url = f"http://127.0.0.1:{server.server_address[1]}"
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    yield held
    server.shutdown()
    server.server_close()


def store(bucket: Bucket) -> Store:
    """The store that a run opens."""
    return Store("s3://bucket", bucket.url)


@pytest.mark.parametrize("how", ["cut", "503"])
def test_an_answer_that_breaks_off_is_asked_for_again(bucket: Bucket, how: str) -> None:
    bucket.objects = {"a/b.csv": BODY}
    bucket.spoilt = {"get": (how, 2), "list": (how, 2)}
    own = store(bucket)
    assert [(info.key, info.size) for info in own.objects()] == [("a/b.csv", len(BODY))]
    assert own.get("a/b.csv") == BODY


def test_pieces_that_break_off_never_make_a_whole(bucket: Bucket) -> None:
    bucket.objects = {"a/b.csv": BODY}
    bucket.spoilt = {"get": ("cut", 2)}
    assert b"".join(store(bucket).stream("a/b.csv")) == BODY


@pytest.mark.parametrize("how", ["cut", "503"])
def test_a_put_whose_answer_is_lost_is_put_again(bucket: Bucket, how: str) -> None:
    bucket.spoilt = {"put": (how, 2)}
    store(bucket).put("a/b.csv", BODY)
    assert bucket.objects == {"a/b.csv": BODY}


@pytest.mark.parametrize("how", ["unheard", "reset", "cut"])
def test_a_key_that_is_made_once_is_made_by_whoever_wrote_its_bytes(bucket: Bucket, how: str) -> None:
    bucket.spoilt = {"put": (how, 2)}
    assert store(bucket).create("a/b.csv", BODY), "the answer was lost, and the bytes are its own"
    assert bucket.objects == {"a/b.csv": BODY}
    bucket.asked.clear()
    assert not store(bucket).create("a/b.csv", b"another's")
    assert bucket.objects == {"a/b.csv": BODY}


@pytest.mark.parametrize("how", ["unheard", "reset", "cut"])
def test_a_version_that_is_replaced_is_replaced_once(bucket: Bucket, how: str) -> None:
    bucket.objects = {"a/b.csv": b"old"}
    bucket.spoilt = {"put": (how, 2)}
    assert store(bucket).replace("a/b.csv", BODY, tag(b"old"))
    assert bucket.objects == {"a/b.csv": BODY}
    bucket.asked.clear()
    assert not store(bucket).replace("a/b.csv", b"later", tag(b"old"))
    assert bucket.objects == {"a/b.csv": BODY}


@pytest.mark.parametrize("kind", ["begin", "part", "end"])
@pytest.mark.parametrize("how", ["reset", "cut", "503"])
def test_an_upload_in_parts_begins_again_where_a_word_of_it_is_lost(bucket: Bucket, kind: str, how: str) -> None:
    bucket.spoilt = {kind: (how, 2)}
    large = BODY * 9
    store(bucket).put_pieces("a/b.csv", lambda: iter([large[:MEBIBYTE], large[MEBIBYTE:]]))
    assert bucket.objects == {"a/b.csv": large}


def test_a_bucket_that_never_answers_in_full_is_told_in_one_line(bucket: Bucket) -> None:
    bucket.objects = {"a/b.csv": BODY}
    bucket.spoilt = {"get": ("cut", 1000), "list": ("cut", 1000)}
    own = store(bucket)
    for ask in (lambda: own.get("a/b.csv"), own.objects, lambda: b"".join(own.stream("a/b.csv"))):
        with pytest.raises(StoreError) as error:
            ask()
        assert "\n" not in str(error.value)


def test_a_segment_of_the_ledger_whose_answer_is_lost_is_written_once(bucket: Bucket) -> None:
    ledger = Ledger(store(bucket))
    bucket.spoilt = {"put": ("503", 1)}
    ledger.append(pl.DataFrame([dict.fromkeys(EVENTS) | {"event": "object", "name": "a.csv"}], schema=EVENTS))
    assert len(bucket.objects) == 1
    assert ledger.events()["name"].to_list() == ["a.csv"]


def test_what_is_not_there_is_asked_for_once(bucket: Bucket) -> None:
    with pytest.raises(FileNotFoundError):
        store(bucket).get("a/none.csv")
    assert bucket.asked["none"] == 1
