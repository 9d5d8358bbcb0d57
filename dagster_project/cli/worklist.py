"""Commands of the network's data team for what waits: worklist, answer and review.

Belongs here: arguments, exit codes and output of these commands.
Does not: what waits (lib/monitoring/worklist.py), tables in the bucket (lib/member/page/tables.py).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import click

from dagster_project.cli.base import CradleError, known_year, settings
from dagster_project.lib.base.shown import visible
from dagster_project.settings import Settings

USAGE = 2


def _work(config: Settings, year: int | None) -> Any:
    from dagster_project.lib.base.reference import Reference
    from dagster_project.lib.member.page import opened
    from dagster_project.lib.monitoring.freshness import NOTICE_DAYS
    from dagster_project.lib.monitoring.worklist import worklist as what_waits
    from dagster_project.lib.publish.release.opening import ReleaseMissingError, open_release

    if year is not None:
        known_year(Reference(config.seeds).reporting_years(config.today), year)
    seen = opened.read(opened.store(config.home))
    try:
        with open_release(config) as release:
            return what_waits(release, seen, config.today, max(NOTICE_DAYS), year)
    except ReleaseMissingError as error:
        raise CradleError(str(error), "run `cradle run` first") from None


@click.command()
@click.option("--year", type=int, help="Only this reporting year.")
@click.option("--json", "as_json", is_flag=True, help="Print shared, answers and folders as JSON.")
def worklist(year: int | None, as_json: bool) -> None:
    """What waits for the data team in the current release: shared causes, answers to review, folders not in order."""
    from dagster_project.lib.monitoring.worklist import lines

    work = _work(settings(), year)
    if as_json:
        click.echo(json.dumps(asdict(work), ensure_ascii=False, indent=1, default=str))
        return
    for line in lines(work):
        click.echo(visible(line))


def _write(
    config: Settings, year: int, name: str, columns: Sequence[str], key: Sequence[str], row: Mapping[str, str]
) -> None:
    """One more line in a table of the network's own folder."""
    from dagster_project.lib.base.names import NETWORK_FOLDER
    from dagster_project.lib.base.store import StoreError
    from dagster_project.lib.intake.bucket.drop import open_drop
    from dagster_project.lib.member.page.tables import BusyError, NoTableError, add_row

    place = f"{NETWORK_FOLDER}/{year}/{name}"
    try:
        add_row(open_drop(config.drop_url, config.s3_endpoint), place, columns, key, row)
    except (NoTableError, BusyError):
        raise CradleError(f"{place} cannot be completed", "move that file away, then repeat this") from None
    except StoreError as error:
        raise CradleError(str(error), "check CRADLE_DROP_URL") from None
    click.echo(f"Written to {place}; the next cradle run takes it.")


@click.command()
@click.argument("finding_id")
@click.argument("text")
@click.option("--reason", metavar="CODE", help="Kind of reason (contracts/reasons.csv).")
def answer(finding_id: str, text: str, reason: str | None) -> None:
    """Answer a question to the network once, for all folders that share its cause."""
    from dagster_project.lib.member.page import tables, views

    config = settings()
    asked = {row["finding_id"]: row["reporting_year"] for row in _work(config, None).shared}
    if finding_id not in asked:
        raise CradleError(f"{finding_id} is no open question to the network", "cradle worklist lists them", USAGE)
    if reason is not None and reason not in views.reasons():
        raise CradleError(f"{reason} is no kind of reason", f"they are {', '.join(views.reasons())}", USAGE)
    if not tables.one_line(text):
        raise CradleError("the answer is blank", "say in a few words why the values are right", USAGE)
    row = {"finding_id": finding_id, "text": text, "reason": reason or ""}
    _write(config, asked[finding_id], tables.ANSWERS_FILE, tables.ANSWER_COLUMNS, tables.ANSWER_KEY, row)


@click.command()
@click.argument("finding_id")
@click.argument("decision", type=click.Choice(["accepted", "rejected"]))
@click.option("--reason", default="", help="Why; stands in the receipt of a rejected answer.")
@click.option("--by", "approver", default="", metavar="ROLE", help="Who decided.")
def review(finding_id: str, decision: str, reason: str, approver: str) -> None:
    """Accept or reject a member's answer; a rejected one leaves its question open, and the receipt says why."""
    from dagster_project.lib.member.page import tables

    config = settings()
    given = {row["finding_id"]: row["reporting_year"] for row in _work(config, None).answers}
    if finding_id not in given:
        raise CradleError(f"{finding_id} has no answer that waits for a review", "cradle worklist lists them", USAGE)
    if decision == "rejected" and not tables.one_line(reason):
        raise CradleError("a rejected answer needs a reason", "say it with --reason: the member reads it", USAGE)
    row = {"finding_id": finding_id, "decision": decision, "decided_on": config.today.isoformat(),
           "approver": approver, "reason": reason}  # fmt: skip
    _write(config, given[finding_id], tables.DECISIONS_FILE, tables.DECISION_COLUMNS, tables.DECISION_KEY, row)


COMMANDS: list[click.Command] = [worklist, answer, review]
