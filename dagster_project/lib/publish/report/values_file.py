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

_SHARED = (
    *("population_group_id", "school_year", "series", "value", "value_low", "value_high", "numerator", "denominator"),
    *("used", "left_out_reason", "value_status"),
)
_SOURCE = ("source_file", "source_sheet", "source_row", "submission_id")
# Signs that make a spreadsheet take a text for a formula when they stand first.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def values_csv(marts: Marts, view: Row, edition: str) -> str:
    """The rows of an indicator's page: indicator, group by name, then the columns of the marts that the page shows."""
    columns = (*_SHARED, *(_SOURCE if edition == INTERNAL else ()))
    points: Sequence[Point] = view["points"]
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\r\n")
    write.writerow(("indicator_id", "group", *columns))
    for point in points:
        own = (point.indicator_id, group_label(marts, point.population_group_id))
        write.writerow([_cell(each) for each in (*own, *(getattr(point, name) for name in columns))])
    return out.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _text(value) if isinstance(value, str) else value


@lru_cache(maxsize=4096)
def _text(value: str) -> str:
    return f"'{visible(value)}" if value.startswith(_FORMULA) else visible(value)
