"""How far a trend's own figures bear its status out: certain, likely, or possibly chance.

Belongs here: the certainty of a trend from its interval and robustness, counts by certainty, what chance alone gives.
Does not: decide a status, test anything anew, or lay out a page.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from dagster_project.lib.publish.report import words
from dagster_project.lib.publish.report.arranging import TOTAL, Row

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
    said = {CERTAIN: "certain", LIKELY: "likely", CHANCE: "could be chance", "": "without one deciding trend"}
    parts = []
    for code, n in counts:
        if code or n:
            verb = "" if code == CHANCE else "is " if n == 1 else "are "
            parts.append(f"{words.count(n)} {verb}{said[code]}")
    return f"Of the improving ones, {words.joined(parts)}." if sum(n for _, n in counts) else ""


def chance_sentence(rate: float | None, verdict: str) -> str:
    """What the rules give where nothing changes: `Chance alone would give 49.9%: ...`; empty when not simulated."""
    if rate is None:
        return ""
    share = f"Chance alone would give {words.number(100 * rate)}%"
    return f"{share}: that share of simulated outcomes without any real change {verdict}."
