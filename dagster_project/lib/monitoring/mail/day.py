"""Mail of one day: what is to be told to whom, from bucket, ledger and outbox, and sending it.

Belongs here: gathering occasions, one message an address, remembering what was sent.
Does not: which occasions there are, words and servers (the other modules), opening stores, printing (cli/serve.py).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import polars as pl

from dagster_project.lib.base.names import NETWORK_FOLDER
from dagster_project.lib.base.reference import Reference
from dagster_project.lib.base.store import Store
from dagster_project.lib.intake.bucket.drop import Listing
from dagster_project.lib.intake.bucket.ledger import current_submissions
from dagster_project.lib.intake.bucket.plan import changed_folders
from dagster_project.lib.member.page.language import language
from dagster_project.lib.monitoring.freshness import NOTICE_DAYS, deadlines
from dagster_project.lib.monitoring.mail.contacts import Contact
from dagster_project.lib.monitoring.mail.messages import as_mail, message
from dagster_project.lib.monitoring.mail.occasions import (
    Occasion,
    of_arrivals,
    of_deadlines,
    of_receipts,
    told_years,
)
from dagster_project.lib.monitoring.mail.sending import Deliver, MailError, Memory
from dagster_project.lib.receipts.outbox import receipt_folder

PLACE = ["community_id", "reporting_year"]
KEYS = pl.Schema({"community_id": pl.String(), "reporting_year": pl.Int32()})


@dataclass
class Sent:
    """What became of the messages of a day: counts, and for each refused one the contact's community and role."""

    sent: int = 0
    waiting: int = 0
    refused: list[tuple[str, str, str]] = field(default_factory=list)
    without_contact: tuple[str, ...] = ()


def occasions(
    reference: Reference, events: pl.DataFrame, listing: Listing, outbox: Store, today: dt.date
) -> list[Occasion]:
    """All that could be told today. `events`: the ledger; `listing`: the drop bucket as it stands."""
    there = [folder for folder in listing.folders if folder.community_id != NETWORK_FOLDER]
    arrived = pl.DataFrame([folder.partition for folder in there], KEYS, orient="row")
    submitted = current_submissions(events).filter(pl.col("community_id") != NETWORK_FOLDER)
    known = pl.concat([submitted.select(PLACE).cast(KEYS), arrived]).unique()
    calendar = reference.table("network/calendar")
    due = deadlines(reference.communities, calendar, reference.table("network/waivers"), known, today, NOTICE_DAYS)
    years = told_years(reference.reporting_years(today), calendar, today)
    new = [folder for folder in changed_folders(listing, events) if folder in there and folder.reporting_year in years]
    waiting = {folder.partition for folder in new}
    left = reference.communities.select("community_id", "left_year").iter_rows()
    # Of a year after its community left nothing is asked, though its folder is taken.
    places = [(community_id, year) for community_id, last in left for year in years if last is None or year <= last]
    receipts = _receipts(outbox, [place for place in places if place not in waiting])
    return [*of_deadlines(due), *of_arrivals(new), *of_receipts(receipts)]


def _receipts(outbox: Store, places: Sequence[tuple[str, int]]) -> Iterator[dict[str, Any]]:
    for place in places:
        data = outbox.get_or_none(f"{receipt_folder(*place)}/receipt.json")
        if data is not None:
            yield json.loads(data)


def send_due(
    reference: Reference,
    memory: Memory,
    today: dt.date,
    whom: Sequence[Contact],
    told: Sequence[Occasion],
    deliver: Deliver,
    sender: str | None,
    page_of: Callable[[str], str | None],
) -> Sent:
    """Send to each address what it was not told before, as one message, unless it got one today already.

    `page_of` gives the address of a community's page. What is refused is tried again the next time.
    """
    names: Mapping[str, str] = dict(reference.communities.select("community_id", "name").iter_rows())
    result = Sent(without_contact=without_contact(whom, told))
    for of_address, new in news(reference, memory, whom, told):
        name = memory.name(of_address[0].address)
        if memory.told(name)[0] == today.isoformat():
            result.waiting += 1
            continue
        spoken = language(of_address[0].language)
        pages = {one.community_id: page for one in new if (page := page_of(one.community_id))}
        subject, text = message(new, names, reference.network_name, spoken, pages)
        try:
            deliver(as_mail(subject, text, spoken, sender, of_address[0].address), name)
        except MailError as error:
            result.refused.append((of_address[0].community_id, of_address[0].role, str(error)))
            continue
        memory.note(name, today, [_key(reference, one) for one in new])
        result.sent += 1
    return result


def news(
    reference: Reference, memory: Memory, whom: Sequence[Contact], told: Sequence[Occasion]
) -> Iterator[tuple[list[Contact], list[Occasion]]]:
    """For each address that has any: its contacts, and what it was not told before."""
    for address, lines in groupby(whom, key=lambda contact: contact.address.lower()):
        of_address = list(lines)
        own = {contact.community_id for contact in of_address}
        before = memory.before(address)
        new = [one for one in told if one.community_id in own and _key(reference, one) not in before]
        if new:
            yield of_address, new


def without_contact(whom: Sequence[Contact], told: Sequence[Occasion]) -> tuple[str, ...]:
    """Communities of which something is to be told and nobody is to be written to."""
    return tuple(sorted({one.community_id for one in told} - {contact.community_id for contact in whom}))


def _key(reference: Reference, one: Occasion) -> str:
    """What was told of which community: by its first id, so that a rename is no news."""
    return f"{reference.names.first_of(one.community_id)}/{one.key}"
