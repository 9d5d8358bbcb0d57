"""What every request meets before a page does: size, headers of safety, and how much a community may ask.

Belongs here: limits that hold before a body is read, headers of every answer, the count of requests.
Does not: who somebody is (app.py), limits of reading a file (lib/intake/reading/limits.py).
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BODY = 64 * 1024 * 1024
MOST_FORMS, FORMS_SECONDS = 60, 600
MOST_CHECKS = 2
TOO_LARGE = "This is more than 64 MiB at once. Send fewer files, or ask the network for the bucket's address."
POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


class Guard:
    """An application behind limits and headers."""

    def __init__(self, app: ASGIApp, largest: int = LARGEST_BODY) -> None:
        self.app, self.largest = app, largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a body that says or turns out to be too large is not read on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name for name, _ in message["headers"]}
                extra = {**HEADERS, "content-security-policy": POLICY}
                new = [(k.encode(), v.encode()) for k, v in extra.items() if k.encode() not in given]
                message = {**message, "headers": [*message["headers"], *new]}
            await send(message)

        read = 0

        async def limited() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self.largest:
                raise HTTPException(413, TOO_LARGE)
            return message

        length = dict(scope["headers"]).get(b"content-length", b"0")
        if not length.isdigit() or int(length) > self.largest:
            await PlainTextResponse(TOO_LARGE, 413, {"connection": "close"})(scope, receive, answer)
            return
        await self.app(scope, limited, answer)


class Rate:
    """How many forms a community may send in a while, and how many checks run at once: one each, a few in all."""

    def __init__(self) -> None:
        self._sent: dict[str, deque[float]] = defaultdict(deque)
        self._checking: set[str] = set()

    def count(self, community_id: str, most: int = MOST_FORMS) -> None:
        """Count one form; HTTPException 429 for one too many."""
        sent, now = self._sent[community_id], time.monotonic()
        while sent and now - sent[0] > FORMS_SECONDS:
            sent.popleft()
        if len(sent) >= most:
            raise HTTPException(429, "These are very many requests. Please wait ten minutes.")
        sent.append(now)

    @contextmanager
    def checking(self, community_id: str) -> Iterator[Callable[[asyncio.Task[None]], None]]:
        """While a check runs; HTTPException 429 where one of the community runs, or too many of all.

        Gives what counts it on as running until a task is done, beyond the end of the block.
        """
        if community_id in self._checking or len(self._checking) >= MOST_CHECKS:
            raise HTTPException(429, "A check is still running. Please wait a moment and try again.")
        self._checking.add(community_id)
        handed_on = False

        def until_done(task: asyncio.Task[None]) -> None:
            nonlocal handed_on
            handed_on = True
            task.add_done_callback(lambda _: self._checking.discard(community_id))

        try:
            yield until_done
        finally:
            if not handed_on:
                self._checking.discard(community_id)
