"""The values behind an indicator's page as CSV: the same rows as its table, for a spreadsheet.

Belongs here: the columns of the file, and texts that a spreadsheet could take for a formula.
Does not: choose rows (indicator.py), or leave anything out: a public edition's rows are public already.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from functools import lru_cache

from dagster_project.lib.base.shown import visible
from dagster_project.lib.publish.report.arranging import Row
from dagster_project.lib.publish.report.indicator import group_label
from dagster_project.lib.publish.report.marts import INTERNAL, Marts, Point

_SHARED = ("school_year", "series", "value", "numerator", "denominator", "used", "left_out_reason")
_SOURCE = ("submission_id", "source_file", "source_sheet", "source_row")
_RANGE = ("value_low", "value_high", "value_status")
# Signs that make a spreadsheet take a text for a formula when they stand first.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def values_csv(marts: Marts, view: Row, edition: str) -> str:
    """The rows of an indicator's page: indicator, group by name, then the columns of the marts that the page shows."""
    source = _SOURCE if edition == INTERNAL else ()
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\r\n")
    write.writerow(("indicator_id", "population_group_id", "group", *_SHARED, *_RANGE, *source))
    points: Sequence[Point] = view["points"]
    for p in points:
        first = (p.indicator_id, p.population_group_id, _text(group_label(marts, p.population_group_id)))
        state = ("true" if p.used else "false", p.left_out_reason, p.value_low, p.value_high, p.value_status)
        row: tuple[object, ...] = (*first, p.school_year, _text(p.series), p.value, p.numerator, p.denominator, *state)
        if source:
            row = (*row, p.submission_id, _text(p.source_file), _text(p.source_sheet), p.source_row)
        write.writerow(row)
    return out.getvalue()


@lru_cache(maxsize=4096)
def _text(value: str | None) -> str | None:
    if value is None:
        return None
    return f"'{visible(value)}" if value.startswith(FORMULA) else visible(value)
