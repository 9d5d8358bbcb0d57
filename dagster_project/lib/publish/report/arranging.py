"""What several pages of the national report share: labels, order, counts and names of files.

Belongs here: small functions on rows that two pages or more use.
Does not: read tables (marts), or know a single page.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

from dagster_project.lib.publish.report import words

Row = dict[str, Any]

TOTAL = "all"
GAP_ORDER = ("met", "not_met", "undetermined")


def natural_key(key: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key in which the parts of a criterion id that are numbers sort as numbers."""
    return tuple((0, int(p), "") if p.isdigit() else (1, 0, p) for p in key.split("."))


def page_name(community_id: str) -> str:
    """The file name of a community's page: safe in any folder, different for different ids."""
    return f"{quote(community_id, safe='')}.html"


def folder_name(community_id: str) -> str:
    """The folder of a community's further pages beside its card: never `..`, never the name of another one's card."""
    return quote(community_id, safe="").replace(".", "%2E")


def tally(values: Iterable[str | None], order: Sequence[str]) -> list[tuple[str, int]]:
    counted = Counter(v or words.UNDETERMINED for v in values)
    return [(code, counted[code]) for code in order]


def headline(rows: Sequence[Row], column: str, good: str) -> Row:
    """A share with everything needed to read it: the good ones, the determined ones, the withheld ones, all of them."""
    withheld = sum(r[column] == words.WITHHELD for r in rows)
    determined = [r for r in rows if (r[column] or words.UNDETERMINED) not in (words.UNDETERMINED, words.WITHHELD)]
    hits = sum(r[column] == good for r in determined)
    return {
        "n": hits,
        "determined": len(determined),
        "withheld": withheld,
        "total": len(rows),
        "share": words.share(hits, len(determined)),
    }


def rank(order: Sequence[str], code: str | None) -> int:
    return order.index(code) if code in order else len(order)
