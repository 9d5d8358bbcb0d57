"""`cradle mail` over a small home: each occasion once, one message a day, addresses nowhere else.

Belongs here: the command as cron runs it, without a server and with one.
Does not: contacts, occasions and words one by one (unit/monitoring/test_mail.py).
"""

from __future__ import annotations

import email
import email.policy
import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dagster_project.instance.runs import only_one
from dagster_project.settings import from_environment
from tests.daemons import until
from tests.smtp_server import serving_mail
from tests.support import PROJECT, cradle

FIRST, SECOND = "alderwick_bend", "amberly_shoals"
HEADER = "community_id,role,address,language,valid_from,valid_to\n"
ADDRESS, OTHER = "zyx.wvut@example.org", "qrs.opq@example.net"


@pytest.fixture
def smtp() -> Iterator[tuple[str, list[bytes]]]:
    """The address of a running server, and what it was sent."""
    with serving_mail() as running:
        yield running


def holding(folder: Path, words: bytes) -> set[str]:
    """Files below a folder that hold some words, by the first part of their path."""
    files = (path for path in folder.rglob("*") if path.is_file() and words in path.read_bytes())
    return {path.relative_to(folder).parts[0] for path in files}


def test_the_command_writes_each_once_one_a_day_and_leaves_addresses_nowhere_else(
    tmp_path: Path, smtp: tuple[str, list[bytes]]
) -> None:
    home, seeds = tmp_path / "home", tmp_path / "seeds"
    shutil.copytree(PROJECT / "seeds", seeds)
    lines = (f"{FIRST},lead,{ADDRESS},es,,", f"{SECOND},data,{ADDRESS},es,,", f"{SECOND},lead,{OTHER},,,")
    (seeds / "network" / "contacts.csv").write_text(HEADER + "\n".join(lines), encoding="utf-8")
    folder = home / "drop" / FIRST / "2018"
    folder.mkdir(parents=True)
    (folder / "a.csv").write_text("anything", encoding="utf-8")
    settings: dict[str, str | Path] = {"CRADLE_HOME": home, "CRADLE_SEEDS": seeds, "CRADLE_TODAY": "2018-11-20"}
    dry = cradle("mail", "--dry-run", **settings)
    assert f"{FIRST:<28} received" in dry.stdout and f"{SECOND:<28} due soon" in dry.stdout
    ran = cradle("mail", "--at", "https://data.example.org", **settings, CRADLE_SERVE_SECRET="s" * 32)
    assert ran.stdout.startswith("2 messages written to"), ran.stderr
    mails = [email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
             for path in sorted((home / "mail").glob("*.eml"))]  # fmt: skip
    by_address = {str(mail["To"]): mail for mail in mails}
    assert set(by_address) == {ADDRESS, OTHER}
    both = by_address[ADDRESS].get_content()
    assert "Alderwick Bend, 2018: recibido" in both and "Amberly Shoals, 2018: vence pronto" in both
    assert both.count("https://data.example.org/enter?link=") == 2
    assert "Alderwick" not in by_address[OTHER].get_content()
    assert cradle("mail", **settings).stdout.startswith("0 messages")

    (folder / "b.csv").write_text("more", encoding="utf-8")
    again = cradle("mail", **settings)
    assert "1 wait until tomorrow" in again.stdout
    url, kept = smtp
    tomorrow = {**settings, "CRADLE_TODAY": "2018-11-21", "CRADLE_SMTP_URL": url}
    with ThreadPoolExecutor(2) as both_at_once:
        other, sent = both_at_once.map(lambda _: cradle("mail", **tomorrow), range(2))
    told_by = sorted(one.stdout.split(" sent")[0] for one in (other, sent))
    assert told_by == ["0 messages", "1 message"], sent.stderr + other.stderr
    assert [email.message_from_bytes(data)["To"] for data in kept] == [ADDRESS]
    told = json.dumps([dry.stdout, ran.stdout, ran.stderr, again.stdout, sent.stdout, sent.stderr])
    assert "zyx" not in told and "qrs" not in told
    for words in (b"zyx", b"qrs"):
        assert holding(home, words) == {"mail"}


def test_what_a_run_at_work_has_yet_to_take_is_told_as_it_is_after_it(tmp_path: Path) -> None:
    home, seeds = tmp_path / "home", tmp_path / "seeds"
    shutil.copytree(PROJECT / "seeds", seeds)
    (seeds / "network" / "contacts.csv").write_text(f"{HEADER}{FIRST},lead,{ADDRESS},,,\n", encoding="utf-8")
    folder = home / "drop" / FIRST / "2018"
    folder.mkdir(parents=True)
    settings = {"CRADLE_HOME": str(home), "CRADLE_SEEDS": str(seeds), "CRADLE_TODAY": "2018-11-20"}
    with ThreadPoolExecutor(1) as pool:
        with only_one(from_environment(settings)):
            waits = pool.submit(cradle, "mail", **settings)
            until("the command waits for the run", lambda: _somebody_waits(home / ".lock"))
            (folder / "a.csv").write_text("anything", encoding="utf-8")
        assert waits.result().stdout.startswith("1 message"), waits.result().stderr
    (told,) = (home / "mail").glob("*.eml")
    assert "2018: received" in email.message_from_bytes(told.read_bytes(), policy=email.policy.default).get_content()
    dry = cradle("mail", "--dry-run", **settings).stdout
    assert FIRST not in dry and f"{SECOND:<28} due soon, and there is no contact" in dry


def _somebody_waits(lock: Path) -> bool:
    """Whether the kernel lists somebody who waits for this lock."""
    inode = f":{lock.stat().st_ino} "
    return any("->" in line and inode in line for line in Path("/proc/locks").read_text(encoding="utf-8").splitlines())
