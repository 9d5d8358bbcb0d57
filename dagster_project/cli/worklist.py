"""Commands of the network's data team for what waits: worklist, answer and review.

Belongs here: arguments, exit codes and output of these commands.
Does not: what waits (lib/monitoring/worklist.py), which decisions it allows (lib/monitoring/deciding.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from dagster_project.cli.base import CradleError, asking_a_release, held_by_release, known_year, settings
from dagster_project.lib.base.shown import visible
from dagster_project.settings import Settings

if TYPE_CHECKING:
    from dagster_project.lib.base.store import Store
    from dagster_project.lib.monitoring.worklist import Worklist

USAGE = 2


def _work(config: Settings, year: int | None) -> Worklist:
    from dagster_project.lib.base.reference import Reference
    from dagster_project.lib.monitoring.worklist import current_worklist

    if year is not None:
        known_year(Reference(config.seeds).reporting_years(config.today), year)
        held_by_release(config, year)
    with asking_a_release():
        return current_worklist(config, year)


@click.command()
@click.option("--year", type=int, help="Only this reporting year.")
@click.option("--json", "as_json", is_flag=True, help="Print shared, answers, folders and own as JSON.")
def worklist(year: int | None, as_json: bool) -> None:
    """What waits for the data team in the current release: shared causes, answers to review, folders not in order, and
    what lies in the bucket and is of no community."""
    from dagster_project.lib.monitoring.worklist import lines

    work = _work(settings(), year)
    if as_json:
        click.echo(json.dumps(asdict(work), ensure_ascii=False, indent=1, default=str))
        return
    for line in lines(work):
        click.echo(visible(line))


def _decide(decide: Callable[[Store, Worklist], str]) -> None:
    """Take a decision of the team into the network's own folder."""
    from dagster_project.lib.base.store import StoreError
    from dagster_project.lib.intake.bucket.drop import open_drop
    from dagster_project.lib.monitoring.deciding import DecisionError

    config = settings()
    try:
        place = decide(open_drop(config.drop_url, config.s3_endpoint), _work(config, None))
    except DecisionError as error:
        raise CradleError(str(error), "cradle worklist lists what waits", USAGE) from None
    except StoreError as error:
        raise CradleError(str(error), "check CRADLE_DROP_URL") from None
    click.echo(f"Written to {place}; the next cradle run takes it.")


@click.command()
@click.argument("finding_id")
@click.argument("text")
@click.option("--reason", metavar="CODE", help="Kind of reason (contracts/reasons.csv).")
def answer(finding_id: str, text: str, reason: str | None) -> None:
    """Answer a question to the network once, for all folders that share its cause."""
    from dagster_project.lib.monitoring import deciding

    _decide(lambda drop, work: deciding.answer(drop, work, finding_id, text, reason or ""))


@click.command()
@click.argument("finding_id")
@click.argument("decision", type=click.Choice(["accepted", "rejected"]))
@click.option("--reason", default="", help="Why; stands in the receipt of a rejected answer.")
@click.option("--by", "approver", default="", metavar="ROLE", help="Who decided.")
def review(finding_id: str, decision: str, reason: str, approver: str) -> None:
    """Accept or reject a member's answer; a rejected one leaves its question open, and the receipt says why."""
    from dagster_project.lib.monitoring import deciding

    today = settings().today
    _decide(lambda drop, work: deciding.review(drop, work, finding_id, decision, reason, approver, today))


COMMANDS: list[click.Command] = [worklist, answer, review]
