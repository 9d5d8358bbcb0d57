"""Coverage in plain lines: which dimension of a core indicator has values in the latest years, and what waits for one.

Belongs here: rows of rpt_coverage as words.
Does not: what is covered (dbt), standings of criteria, opening a release.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

YEARS_SHOWN = 3
Row = Mapping[str, Any]


def coverage_lines(rows: Sequence[Row]) -> list[str]:
    """Lines by community, core indicator and dimension, for each community's last YEARS_SHOWN school years with a row.

    rows: of rpt_coverage. A dimension that has no value in any of these years says so once, with the criteria of the
    latest one that wait for it.
    """
    lines: list[str] = []
    for community, own in groupby(sorted(rows, key=_order), key=lambda row: row["community_id"]):
        mine = list(own)
        years = sorted({row["school_year"] for row in mine})[-YEARS_SHOWN:]
        shown = [row for row in mine if row["school_year"] in years]
        span = str(years[0]) if len(years) == 1 else f"{years[0]} to {years[-1]}"
        lines.append(f"Coverage of {community}, school years {span} (groups with a value of those the dictionary has):")
        for indicator, of_indicator in groupby(shown, key=lambda row: row["indicator_id"]):
            lines += _indicator(indicator, list(of_indicator))
    return lines


def _indicator(indicator: str, rows: Sequence[Row]) -> list[str]:
    lines, empty = [f"  {indicator}"], []
    for dimension, cells in groupby(rows, key=lambda row: row["dimension"]):
        own = list(cells)
        held = any(cell["n_with_value"] or cell["n_masked"] for cell in own)
        waiting = own[-1]["criteria_waiting"]
        if not held and not waiting:
            empty.append(dimension)
            continue
        said = "; ".join(_year(cell) for cell in own) if held else "no value"
        lines.append(f"    {dimension:<22} {said}{f' - waiting for it: {waiting}' if waiting else ''}")
    return [*lines, f"    no value by {', '.join(empty)}"] if empty else lines


def _order(row: Row) -> tuple[str, str, bool, str, int]:
    total_first = row["dimension"] != "all"
    return row["community_id"], row["indicator_id"], total_first, row["dimension"], row["school_year"]


def _year(cell: Row) -> str:
    masked = f", {cell['n_masked']} sent without one" if cell["n_masked"] else ""
    return f"{cell['school_year']}: {cell['n_with_value']} of {cell['n_groups']}{masked}"
