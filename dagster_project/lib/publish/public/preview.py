"""What a community sees of the public edition before it is public.

Belongs here: `public_preview.html` of each community in its outbox.
Does not: what is public (tables.py, lib/disclosure), the days that communities have (shown.py), when a run looks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import polars as pl
from jinja2 import Template

from dagster_project.lib.base.names import WITHHELD
from dagster_project.lib.base.store import Store, StoreError
from dagster_project.lib.base.templates import environment
from dagster_project.lib.publish.public.shown import PAGE, Preview
from dagster_project.lib.publish.report import words
from dagster_project.lib.publish.report.making.kept import KeptPages
from dagster_project.lib.publish.report.stacking import stacked

_HERE = Path(__file__).parent
_STYLE = _HERE.parent / "report" / "templates"
_TOLD = ("fct_indicator_value", "fct_outcome_status", "fct_story")
_VALUE_ORDER = ["indicator_id", "population_group_id", "geography_id", "series", "school_year", "period"]
_FIGURE_ORDER = ["indicator_id", "population_group_id", "geography_id"]


def preview_key(community_id: str) -> str:
    """Where a community's preview lies in the outbox."""
    return f"{community_id}/{PAGE}"


def write_previews(
    outbox: Store,
    tables: Mapping[str, pl.DataFrame],
    communities: pl.DataFrame,
    names: Names,
    preview: Preview,
    kept: Path | None = None,
) -> dict[str, str]:
    """Write each community's page where it differs from the one that lies there; refused communities, and why.

    tables: the public tables. communities: community_id, name of all members. One of which nothing will be public gets
    a page only where an earlier one lies there, which would say otherwise. `kept`: where pages lie from the last time;
    those of the same rows are taken from there.
    """
    refused = {}
    # A page says nothing of what it was made of or whom it could not reach.
    said = replace(preview, facts={}, refused={})
    pages = KeptPages(kept, "preview", names, said)
    told = {name for table in _TOLD for name in (tables[table]["community_id"] if table in tables else [])}
    for community_id, name in communities.select("community_id", "name").sort("community_id").iter_rows():
        try:
            before = outbox.get_or_none(preview_key(community_id))
            if before is None and community_id not in told:
                continue
            rows = _rows_of(tables, community_id, said)
            made = pages.files(community_id, (name, rows), partial(_made, rows, name, names, said))
            page = made[PAGE].encode()
            if before != page:
                outbox.put(preview_key(community_id), page)
        except StoreError as error:
            refused[community_id] = str(error)
    pages.tidy()
    return refused


def _made(rows: Rows, name: str, names: Names, preview: Preview) -> Iterator[tuple[str, str]]:
    yield PAGE, _rendered(rows, name, names, preview)


@dataclass(frozen=True)
class Names:
    """What indicators, groups, places and outcomes are called, from the public dimensions; a code without one stays.

    falling: indicators of which lower is better.
    """

    indicators: Mapping[str, str]
    groups: Mapping[str, str]
    places: Mapping[tuple[str, str], str]
    outcomes: Mapping[str, str]
    falling: Sequence[str] = ()

    def row(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A row with the names of what it is about beside its columns."""
        place = row.get("geography_id")
        own = place is None or place == row["community_id"]
        return {
            **row,
            "indicator": _name(self.indicators, row.get("indicator_id")),
            "falling": row.get("indicator_id") in self.falling,
            "group": _name(self.groups, row.get("population_group_id")),
            "outcome": _name(self.outcomes, row.get("outcome_id")),
            "place": "" if own else self.places.get((row["community_id"], str(place)), str(place)),
        }


def _name(known: Mapping[str, str], code: str | None) -> str:
    return "" if code is None else known.get(code) or code


def falling_of(indicators: pl.DataFrame) -> tuple[str, ...]:
    """Of dim_indicator those of which lower is better."""
    return tuple(indicators.filter(pl.col("direction") == -1)["indicator_id"].sort())


def names_of(tables: Mapping[str, pl.DataFrame]) -> Names:
    """The names that the public dimensions hold."""

    def pairs(table: str, key: str, label: str) -> dict[str, str]:
        frame = tables.get(table)
        return {} if frame is None else dict(frame.select(key, label).iter_rows())

    places, indicators = tables.get("dim_geography"), tables.get("dim_indicator")
    rows = [] if places is None else places.select("community_id", "geography_id", "name").iter_rows()
    return Names(
        pairs("dim_indicator", "indicator_id", "name"),
        pairs("dim_population_group", "population_group_id", "label"),
        {(community, place): name for community, place, name in rows},
        pairs("dim_outcome", "outcome_id", "name"),
        () if indicators is None else falling_of(indicators),
    )


def render_preview(
    tables: Mapping[str, pl.DataFrame], community_id: str, name: str, names: Names, preview: Preview
) -> str:
    """One community's figures as they will be public, as one self-contained page; the same text for the same tables."""
    return _rendered(_rows_of(tables, community_id, preview), name, names, preview)


Rows = tuple[list[dict[str, Any]], ...]


def _rows_of(tables: Mapping[str, pl.DataFrame], community_id: str, preview: Preview) -> Rows:
    """Values, trends, gaps, outcomes, targets and stories of one community, in the order of its page."""
    year = preview.reporting_year
    return (
        _own(tables, "fct_indicator_value", community_id, _VALUE_ORDER),
        _own(tables, "fct_trend", community_id, _FIGURE_ORDER, year),
        _own(tables, "fct_gap", community_id, _FIGURE_ORDER, year),
        _own(tables, "fct_outcome_status", community_id, ["outcome_id"], year),
        _own(tables, "fct_target_progress", community_id, _FIGURE_ORDER, year),
        _own(tables, "fct_story", community_id, ["story_number"]),
    )


def _rendered(rows: Rows, name: str, names: Names, preview: Preview) -> str:
    values, trends, gaps, outcomes, targets, stories = rows
    held = [("Values", values, ["value_status"]), ("Trends", trends, ["trend_status"]), ("Gaps", gaps, ["gap_status"])]
    held += [("Outcomes", outcomes, ["trend_status", "gap_reduced"]), ("Targets", targets, ["status"])]
    totals = [
        (label, len(rows), sum(any(row[name] == WITHHELD for name in columns) for row in rows))
        for label, rows, columns in held
    ]

    def named(lines: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        return [names.row(line) for line in lines]

    page = _template().render(
        community=name,
        notice=f"Preview for {name}: how its figures will be public",
        preview=preview,
        totals=totals,
        values=named(values),
        trends=named(trends),
        gaps=named(gaps),
        outcomes=named(outcomes),
        targets=named(targets),
        stories=stories,
    )
    return stacked(page)


def _own(
    tables: Mapping[str, pl.DataFrame], name: str, community_id: str, order: Sequence[str], year: int | None = None
) -> list[dict[str, Any]]:
    frame = tables.get(name)
    if frame is None:
        return []
    own = frame.filter(pl.col("community_id") == community_id)
    if year is not None:
        own = own.filter(pl.col("reporting_year") == year)
    return own.sort(order, maintain_order=True).to_dicts()


@cache
def _template() -> Template:
    pages = environment(
        _HERE / "templates",
        _STYLE,
        count=words.count,
        signed=words.signed,
        number=words.number,
        status_words=words.status_words,
        gap_words=words.gap_words,
        unit_of_change=words.unit_of_change,
        shown=_shown,
        value_text=words.value_text,
    )
    return pages.get_template("public_preview.html")


def _shown(row: Mapping[str, Any]) -> str:
    """A value as it will be public: the figure, its range, or the word for why there is none."""
    if row["value"] is not None:
        return words.value_text(row["value"], row["unit"])
    if row["value_low"] is not None or row["value_high"] is not None:
        return words.interval_text(row["value_low"], row["value_high"], row["unit"])
    return words.sentence_case(words.SOURCE_STATES.get(row["value_status"], words.humanized(row["value_status"])))
