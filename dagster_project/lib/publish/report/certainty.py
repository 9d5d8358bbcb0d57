"""How far a trend's own figures bear its status out: certain, likely, or possibly chance.

Belongs here: the certainty of a trend from its interval and robustness, counts by certainty, what chance alone gives.
Does not: decide a status, test anything anew, or lay out a page.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from dagster_project.lib.publish.report import words
from dagster_project.lib.publish.report.arranging import TOTAL, Row
from dagster_project.lib.publish.report.languages.catalogue import _, ngettext

CERTAIN, LIKELY, CHANCE = "certain", "likely", "chance"
CERTAINTIES = (CERTAIN, LIKELY, CHANCE)
_CLAIMED_SIDE = {"improving": 1, "declining": -1}


def of_trend(trend: Mapping[str, object] | None, direction: int | None) -> str | None:
    """How certain the status of a trend row is; None where the status claims no direction.

    certain: the interval of the slope lies wholly on the side that the status claims, and the status is the same
    whichever single year is left out. likely: the interval does, but the status depends on a single year or could not
    be tested for it. chance: the interval includes zero or is not there. `direction` is the indicator's, 1 or -1.
    """
    if trend is None or not direction or trend["slope"] is None:
        return None
    side = _CLAIMED_SIDE.get(str(trend["trend_status"]))
    if side is None:
        return None
    low, high = trend["slope_ci_low"], trend["slope_ci_high"]
    if not isinstance(low, int | float) or not isinstance(high, int | float):
        return CHANCE
    nearest = low if side * direction > 0 else -high
    if nearest <= 0:
        return CHANCE
    return CERTAIN if trend["robustness"] == "robust" else LIKELY


def of_outcomes(outcomes: Iterable[Row], trends: Iterable[Row], indicators: Mapping[str, Row]) -> list[Row]:
    """Outcome rows with `certainty`: that of the total's trend of the indicator that decides the outcome.

    None where no single indicator decides, where that trend claims another status than the outcome, or none at all.
    """
    totals = {(t["community_id"], t["indicator_id"]): t for t in trends if t["population_group_id"] == TOTAL}
    result = []
    for row in outcomes:
        ident = row["deciding_indicator_id"]
        trend = totals.get((row["community_id"], ident))
        same = trend is not None and trend["trend_status"] == row["trend_status"]
        direction = indicators[ident]["direction"] if ident in indicators else None
        result.append({**row, "certainty": of_trend(trend, direction) if same else None})
    return result


def counted(rows: Iterable[Row], good: str) -> list[tuple[str, int]]:
    """How many of the rows with the status `good` are certain, likely, possibly chance, or without a certainty."""
    found = Counter(r["certainty"] for r in rows if r["trend_status"] == good)
    return [(code, found[code]) for code in CERTAINTIES] + [("", found[None])]


def by_chance(simulated: Sequence[Row], measure: str) -> float | None:
    """The share (0 to 1) of unchanged outcomes that the rules give a good verdict; None when it was not simulated."""
    rates = [r["rate"] for r in simulated if r["basis"] == "stylised" and r["measure"] == measure]
    return float(rates[0]) if rates else None


def improving_sentence(counts: Sequence[tuple[str, int]]) -> str:
    """What stands under a headline: `Of the improving ones, 3 are certain, 2 are likely and 9 could be chance.`"""
    parts = [_counted_part(code, n) for code, n in counts if code or n]
    if not any(n for code, n in counts):
        return ""
    return _("Of the improving ones, %(parts)s.", parts=words.joined(parts))


def _counted_part(code: str, n: int) -> str:
    """How many have a certainty, as it stands in a list."""
    shown = words.count(n)
    if code == CERTAIN:
        return ngettext("%(n)s is certain", "%(n)s are certain", n, n=shown)
    if code == LIKELY:
        return ngettext("%(n)s is likely", "%(n)s are likely", n, n=shown)
    if code == CHANCE:
        return ngettext("%(n)s could be chance", "%(n)s could be chance", n, n=shown)
    return ngettext("%(n)s is without one deciding trend", "%(n)s are without one deciding trend", n, n=shown)


def chance_of_improving(rate: float | None) -> str:
    """What the rules give where nothing changes: `Chance alone would give 49.9%: ...`; empty when not simulated."""
    if rate is None:
        return ""
    return _(
        "Chance alone would give %(share)s: that share of simulated outcomes without any real change "
        "is called improving.",
        share=f"{words.number(100 * rate)}%",
    )


def chance_of_reduced_gaps(rate: float | None) -> str:
    """The same of gaps: the share of simulated outcomes without any real change whose gaps are called reduced."""
    if rate is None:
        return ""
    return _(
        "Chance alone would give %(share)s: that share of simulated outcomes without any real change "
        "is said to have reduced gaps.",
        share=f"{words.number(100 * rate)}%",
    )
