"""Sending messages by SMTP or as files, and the memory that keeps them few.

Belongs here: the server's address, one connection for all messages, files, which address was told what and when.
Does not: words (messages.py), what is to be told (occasions.py).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import secrets
import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from dagster_project.lib.base.state import whole
from dagster_project.lib.base.store import Store

PORTS = {"smtp": 25, "smtps": 465}
WAIT_SECONDS = 30
Deliver = Callable[[EmailMessage, str], None]
"""Sends one message; the name is one that says nothing of the address."""
STATE = re.compile(r"(?P<community>[^/]+)/(?:mend|accepted)/(?P<year>\d+)/")
"""Keys that say what a folder is; the others say what happened to it."""
REMEDY = "delete it: what it told is then told once more"


class MailError(RuntimeError):
    """The server cannot be reached or refuses; the message holds no address and no password."""


@dataclass(frozen=True)
class Server:
    """A mail server: `smtp` speaks TLS where it is offered (always before a password), `smtps` from the start."""

    scheme: str
    host: str
    port: int
    user: str | None
    password: str | None
    sender: str


def server(url: str) -> Server:
    """The server of CRADLE_SMTP_URL, smtp://user:password@host:587/?from=data@example.org; ValueError for another."""
    parts = urlsplit(url)
    sender = parse_qs(parts.query).get("from", [""])[0]
    if parts.scheme not in PORTS or not parts.hostname or "@" not in sender:
        raise ValueError("write smtp://user:password@host:587/?from=data@example.org, or smtps://")
    user, password = (unquote(text) if text else None for text in (parts.username, parts.password))
    return Server(parts.scheme, parts.hostname, parts.port or PORTS[parts.scheme], user, password, sender)


@contextmanager
def by_server(to: Server) -> Iterator[Deliver]:
    """Send through a server; MailError where it cannot be reached or refuses a message."""
    try:
        connection = _connected(to)
    except (OSError, smtplib.SMTPException) as error:
        raise MailError(f"the mail server {to.host}:{to.port} does not answer ({type(error).__name__})") from None

    def deliver(mail: EmailMessage, _: str) -> None:
        # Every message must name its moment and, so that none counts twice, itself; a draft gets both when it is sent.
        mail["Date"] = format_datetime(dt.datetime.now(dt.UTC))
        mail["Message-ID"] = make_msgid(domain=to.sender.rpartition("@")[2])
        try:
            connection.send_message(mail)
        except (OSError, smtplib.SMTPException) as error:
            raise MailError(f"the mail server refuses it ({type(error).__name__})") from None

    try:
        yield deliver
    finally:
        connection.close()


def _connected(to: Server) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if to.scheme == "smtps":
        connection: smtplib.SMTP = smtplib.SMTP_SSL(to.host, to.port, timeout=WAIT_SECONDS, context=context)
    else:
        connection = smtplib.SMTP(to.host, to.port, timeout=WAIT_SECONDS)
        connection.ehlo()
        if to.user or connection.has_extn("starttls"):
            connection.starttls(context=context)
    if to.user:
        connection.login(to.user, to.password or "")
    return connection


@contextmanager
def as_files(folder: Path, today: dt.date) -> Iterator[Deliver]:
    """Write each message as a file that a mail program opens; the folder is its user's alone."""
    store = Store(str(folder))

    def deliver(mail: EmailMessage, name: str) -> None:
        store.put(f"{today.isoformat()}-{name}.eml", mail.as_bytes())

    yield deliver


@dataclass(frozen=True)
class Memory:
    """What each address was told and on which day it was last written to; kept under a hash, no address is in it."""

    store: Store

    def name(self, address: str) -> str:
        """A name for an address: the same each time, and of no use without the home's own key."""
        key = self.store.get_or_none("mail/key")
        if key is None:
            self.store.create("mail/key", secrets.token_bytes(32))
            key = self.store.get("mail/key")
        return _name(address, key)

    def before(self, address: str) -> list[str]:
        """All keys that an address was told; looked at without writing anything."""
        key = self.store.get_or_none("mail/key")
        return [] if key is None else self.told(_name(address, key))[1]

    def told(self, name: str) -> tuple[str, list[str]]:
        """The last day and all keys that were told."""
        key = f"mail/{name}.json"
        data = self.store.get_or_none(key)
        if data is None:
            return "", []
        with whole(f"{self.store.url}/{key}", REMEDY):
            known = json.loads(data)
            return str(known["day"]), [str(each) for each in known["told"]]

    def note(self, name: str, today: dt.date, keys: list[str]) -> None:
        """Remember what was told today; with what was told before, but for what a folder's new state took the place of.

        A folder that is what it once was, after it was something else, is told again.
        """
        now = {state for key in keys if (state := STATE.match(key))}
        over = {(state["community"], state["year"]) for state in now}
        before = [
            key
            for key in self.told(name)[1]
            if not ((state := STATE.match(key)) and (state["community"], state["year"]) in over)
        ]
        told = {"day": today.isoformat(), "told": sorted({*before, *keys})}
        self.store.put(f"mail/{name}.json", json.dumps(told).encode())


def _name(address: str, key: bytes) -> str:
    return hashlib.blake2b(address.lower().encode(), key=key, digest_size=8).hexdigest()
