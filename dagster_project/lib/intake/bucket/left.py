"""Folders that were left as they stood, because they or a file of theirs could not be read: what is remembered.

Belongs here: the table of what the last intakes left, its findings, and what of it waits for another look.
Does not: finding out what is left (drop.py, take_in.py), or where the table lies (pipeline.py).
"""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from dagster_project.lib.intake.bucket.drop import LOCATED, WRITTEN_RULE, Left
from dagster_project.lib.intake.bucket.ledger import current_submissions
from dagster_project.lib.intake.bucket.plan import Plan, Selection
from dagster_project.lib.intake.findings import to_findings

LEFT = pl.Schema(
    {
        "community_id": pl.String(),
        "reporting_year": pl.Int32(),
        "rule_id": pl.String(),
        "source_file": pl.String(),
        "found": pl.String(),
        "tag": pl.String(),
        "submission_id": pl.String(),
        "run_id": pl.String(),
    }
)
"""One row a reason. `submission_id` is what stands (null: nothing yet), `tag` the folder as it was listed."""


def left_table(left: Iterable[Left], events: pl.DataFrame, run_id: str) -> pl.DataFrame:
    """What one run left, with what stands of it by the ledger."""
    place = ("community_id", "reporting_year", "submission_id")
    stands = {(community, year): own for community, year, own in current_submissions(events).select(place).iter_rows()}
    rows = [
        (*item.partition, item.rule_id, item.source_file, item.found, item.tag, stands.get(item.partition), run_id)
        for item in sorted(left, key=lambda item: (item.partition, item.rule_id, item.source_file or "", item.found))
    ]
    return pl.DataFrame(rows, schema=LEFT, orient="row").unique(maintain_order=True)


def still_left(before: pl.DataFrame, now: pl.DataFrame, selection: Selection) -> pl.DataFrame:
    """What is left after a run: what it left itself, and of earlier runs what it was not asked for."""
    rows = before.select("community_id", "reporting_year").iter_rows()
    outside = pl.Series([not selection.holds(*place) for place in rows], dtype=pl.Boolean)
    return pl.concat([before.filter(outside), now]).sort("community_id", "reporting_year", maintain_order=True)


def left_findings(left: pl.DataFrame) -> pl.DataFrame:
    """Findings of what was left, each on the receipt of its folder."""
    located = left.with_columns(
        *(pl.lit(None, LOCATED[name]).alias(name) for name in LOCATED if name not in left.columns),
    )
    return to_findings(located.with_columns(source_sheet=pl.lit("")).select(list(LOCATED)))


def without_left(plan: Plan, left: pl.DataFrame) -> Plan:
    """The plan without folders that an intake left and that did not change since: they wait for whoever mends them.

    A folder with a file that was still written waits: it may be whole by now.
    """
    asks_again = left.filter(pl.col("rule_id") == WRITTEN_RULE).select("community_id", "reporting_year")
    known = left.join(asks_again, on=["community_id", "reporting_year"], how="anti")
    tags = {(community, year): tag for community, year, tag in known.select(PLACE_AND_TAG).iter_rows()}
    waiting = tuple(folder for folder in plan.take if tags.get(folder.partition) != folder.listed_tag)
    return Plan(waiting, plan.withdrawn)


PLACE_AND_TAG = ("community_id", "reporting_year", "tag")
