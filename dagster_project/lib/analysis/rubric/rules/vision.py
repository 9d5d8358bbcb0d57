"""Rules of the pillar shared community vision.

Belongs here: rosters, report cards, and how often partners and community hear of progress.
Does not: rules that other pillars use too (common).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from dagster_project.lib.analysis.rubric.context import FactContext
from dagster_project.lib.analysis.rubric.registers import AT, plain
from dagster_project.lib.analysis.rubric.rules.common import (
    arguments,
    broken_down,
    count,
    events,
    filled,
    in_force,
    share_of_core,
    whole,
)


def _roster(context: FactContext, body: str) -> pl.DataFrame:
    """Active organizations of a body, each with one category: of its newest submission, then the first letter."""
    rows = context.known["partner_roster"].filter((pl.col("body") == body) & in_force("active_from", "active_to"))
    named = filled("organization") & filled("sector_category")
    rows = rows.filter(named).with_columns(plain("organization").alias("organization"))
    rows = rows.sort(
        *AT, "organization", "submitted_in", "sector_category", descending=[False, False, False, True, False]
    )
    return rows.unique([*AT, "organization"], keep="first", maintain_order=True)


def sector_category(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """A category of the roster is held by at least one active organization."""
    body, category = arguments(row)
    rows = _roster(context, body).filter(pl.col("sector_category") == category)
    found = count(rows, pl.len(), f"active organizations of category {category} in the {body} roster")
    return found.with_columns((pl.col("n") > 0).alias("passed"))


def roster_breadth(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """Several sectors and several organizations; n is the smaller of the two counts."""
    (body,) = arguments(row)
    counts = _roster(context, body).group_by(AT, maintain_order=True)
    both = counts.agg(pl.len().alias("members"), pl.col("sector_category").n_unique().alias("sectors"))
    text = pl.format("{} sectors and {} active organizations", whole(pl.col("sectors")), whole(pl.col("members")))
    return both.select(*AT, pl.min_horizontal("members", "sectors").cast(pl.Float64).alias("n"), text.alias("evidence"))


def card_share(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """Core indicators shown on a report card by any dimension, place included."""
    items = context.known["report_card_items"].filter(broken_down())
    return share_of_core(context, row, items.rename({"indicator": "indicator_id"}), "are broken down on a report card")


def baseline_release(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """Baseline report cards released with a call to action."""
    rows = events(context, row["argument"]).filter("baseline", "call_to_action")
    return count(rows, pl.col("date").n_unique(), "baseline report cards with a call to action")


def quarterly(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """Every audience has an event in each of the last completed calendar quarters; those without one are named."""
    quarters = int(context.ruleset.needed(row["parameter"]))
    audiences = context.ruleset.codes("cadence.audiences")
    # A quarter is completed when its last day is reached: the day after then opens the next one.
    opened = pl.col("assessment_date").dt.offset_by("1d").dt.truncate("1q")
    since = opened.dt.offset_by(f"-{3 * quarters}mo")
    rows = events(context, row["argument"]).filter(pl.col("audience").is_in(audiences))
    rows = rows.filter(pl.col("date").is_between(since, opened, closed="left"))
    cells = rows.select(*AT, "audience", pl.col("date").dt.truncate("1q").alias("quarter")).unique()
    lacking = _quarters_without(context.scaffold.select(*AT, opened=opened), cells, audiences, quarters)
    counts = cells.group_by(AT).agg(
        *[(pl.col("audience") == name).sum().alias(name) for name in audiences], pl.len().alias("cells")
    )
    words = ", ".join(f"{name} in {{}} of {quarters}" for name in audiences)
    text = pl.format(f"last completed quarters with {row['argument']}: {words}", *[whole(pl.col(a)) for a in audiences])
    passed = pl.col("cells") == quarters * len(audiences)
    counts = counts.join(lacking, on=AT, how="left", maintain_order="left")
    named = pl.coalesce(pl.format("; without one: {}", "lacking"), pl.lit(""))
    return counts.select(*AT, passed.alias("passed"), pl.concat_str(text, named).alias("evidence"))


def _quarters_without(
    years: pl.DataFrame, cells: pl.DataFrame, audiences: Sequence[str], quarters: int
) -> pl.DataFrame:
    """AT, lacking: the completed quarters in which an audience heard nothing, for example "2018-Q3 (partners)".

    years: AT and opened, the first day after the last completed quarter. cells: AT, audience, quarter with an event.
    """
    back = pl.DataFrame({"back": [f"-{3 * n}mo" for n in range(quarters, 0, -1)]})
    asked = years.join(back, how="cross").join(pl.DataFrame({"audience": audiences}), how="cross")
    asked = asked.with_columns(quarter=pl.col("opened").dt.offset_by(pl.col("back")))
    none = asked.join(cells, on=[*AT, "audience", "quarter"], how="anti").sort(*AT, "quarter", "audience")
    by_quarter = none.group_by(*AT, "quarter", maintain_order=True).agg(pl.col("audience").str.join(", "))
    quarter = pl.col("quarter")
    name = pl.format("{}-Q{} ({})", quarter.dt.year(), quarter.dt.quarter(), "audience")
    return by_quarter.group_by(AT, maintain_order=True).agg(name.str.join(", ").alias("lacking"))


def _shared(context: FactContext) -> pl.DataFrame:
    return context.known["report_card_items"].filter(pl.col("shared_measure").fill_null(False))


def shared_measures(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """Shared measures that stand on a report card."""
    return count(_shared(context), pl.col("indicator").n_unique(), "shared measures on a report card")


def shared_measures_broken_down(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """Every shared measure is shown by some dimension."""
    measures = _shared(context).select(*AT, "indicator").unique()
    shown = context.known["report_card_items"].filter(broken_down()).select(*AT, "indicator").unique()
    rows = measures.join(shown.with_columns(pl.lit(1).alias("shown")), on=[*AT, "indicator"], how="left")
    counts = rows.group_by(AT).agg(pl.len().alias("all"), pl.col("shown").sum())
    text = pl.format("{} of {} shared measures are broken down", "shown", "all")
    return counts.select(*AT, (pl.col("shown") == pl.col("all")).alias("passed"), text.alias("evidence"))
