"""Sentences of the report read back: what a sentence or a mark claims, held against the row that it speaks of.

Belongs here: readers of trend sentences, gap sentences and marks of certainty, written from what the words mean.
Does not: use the code that makes the sentences, read tables, or find sentences on pages (test_report.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

Row = Mapping[str, object]

_TREND = re.compile(
    r"^“(?P<name>.*)” (?P<change>did not change"
    r"|(?:rose|fell) (?:by (?P<amount>[\d,.]+)|very slightly, by less than 0\.1)"
    r" (?P<unit>[\w ]+?) a year) from (?P<first>\d{4}) to (?P<last>\d{4}) \((?P<n>\d+) years? of data\)\. (?P<rest>.*)$"
)
_INTERVAL = re.compile(r"interval for the yearly change is (\S+) to (\S+?)(?:[;.](?:\s|$)|;)(.*)$")
_PACE = re.compile(r"(?:, t|T)he group moved (?:very slightly|(\S+) [\w ]+?) (more|less) favourably")
_LINES = re.compile(r"By the fitted lines of all years it went from (.+?) to (.+?)\.(?: |$)")
_NOW = re.compile(r"and is now (?:(\S+) [\w ]+? )?(behind|ahead|level)(?: \((\d{4})\))?")
_FITTED = re.compile(r"^(\S+) → (\S+) fitted$")
_CHANGES = ("rose", "fell", "improving", "maintained", "declining")
_CODE = re.compile(r"\b[a-z]+(?:_[a-z0-9]+)+\b")
EPSILON = 1e-9


def number(row: Row, column: str) -> float | None:
    """A figure of a row, None where there is none."""
    value = row[column]
    return float(value) if isinstance(value, int | float) else None


def shown(value: float | None, signed: bool = False) -> str:
    """A figure as a page prints it."""
    if value is None:
        return "–"
    text = f"{value:,.1f}"
    if text in ("-0.0", "0.0"):
        return "0.0"
    return ("+" if signed and value > 0 else "") + text.replace("-", "\N{MINUS SIGN}")


def trend_faults(text: str, row: Row, indicator: Row) -> list[str]:
    """What a trend's sentence says otherwise than its row: nothing where they agree."""
    slope, faults = number(row, "slope"), [f"a code: {code}" for code in _CODE.findall(text)]
    if slope is None:
        claims = [word for word in _CHANGES if re.search(rf"\b{word}\b", text)]
        told = "withheld" in text if row["trend_status"] == "withheld" else "cannot be determined because " in text
        return faults + [f"claims {word} without a slope" for word in claims] + ([] if told else ["does not say why"])
    said = _TREND.match(text)
    if said is None:
        return [*faults, "is no sentence about a trend"]
    expected = "did not change" if abs(slope) <= EPSILON else "rose" if slope > 0 else "fell"
    amount = said["amount"]
    pairs = [
        ("name", said["name"], indicator["name"]),
        ("direction", said["change"].split(" by ")[0].split(" very")[0], expected),
        ("size", amount or "0.0", shown(abs(slope))),
        ("years", (said["first"], said["last"], said["n"]), tuple(str(row[c]) for c in _YEARS)),
    ]
    faults += [f"{what} {found!r}, the row {own!r}" for what, found, own in pairs if found != own]
    return faults + _status_faults(said["rest"], row, indicator) + _interval_faults(said["rest"], row)


_YEARS = ("first_year", "last_year", "n_years")


def _status_faults(rest: str, row: Row, indicator: Row) -> list[str]:
    counted = re.search(r"counts as (\w+)", rest)
    if not indicator["direction"]:
        return ["gives a status to a measure without a good direction"] if counted else []
    faults = [] if counted and counted[1] == row["trend_status"] else [f"status {counted and counted[1]!r}"]
    adjusted = number(row, "slope") or 0.0
    adjusted *= -1 if indicator["direction"] == -1 else 1
    good = {"improving": adjusted > EPSILON, "declining": adjusted < -EPSILON, "maintained": adjusted <= EPSILON}
    return faults + ([] if good.get(str(row["trend_status"]), True) else ["the status is against the slope"])


def _interval_faults(rest: str, row: Row) -> list[str]:
    low, high = number(row, "slope_ci_low"), number(row, "slope_ci_high")
    said = _INTERVAL.search(rest)
    if low is None or high is None:
        return ["an interval that the row has not"] if said else []
    if said is None:
        return ["no interval"]
    faults = [] if said.groups()[:2] == (shown(low, True), shown(high, True)) else [f"interval {said.groups()}"]
    includes = low <= 0 <= high and not low == high == 0
    if ("includes zero" in said[3]) != includes:
        faults.append("zero in the interval")
    if not includes and "0.0" in said.groups()[:2] and not low == high == 0:
        side = "above" if low > 0 else "below"
        faults += [] if f"just {side} zero" in said[3] else ["a printed zero that is none"]
    return faults


def gap_faults(text: str, row: Row) -> list[str]:
    """What the sentence of a group's gap says otherwise than its row; the sentence may open with the group's trend."""
    status, faults = str(row["gap_status"]), [f"a code: {code}" for code in _CODE.findall(text)]
    if status == "undetermined":
        return faults if "because " in text else [*faults, "does not say why"]
    if status == "withheld":
        return faults if "withheld" in text else [*faults, "does not say that it is withheld"]
    difference, own = number(row, "slope_difference") or 0.0, number(row, "group_slope") or 0.0
    other, last = number(row, "reference_slope") or 0.0, number(row, "last_gap")
    pace = _PACE.search(text)
    moved = (pace and (pace[1], pace[2])) or None
    size = shown(abs(difference))
    if abs(difference) <= EPSILON:
        expected = None
    else:
        expected = (None if size == "0.0" else size, "more" if difference > 0 else "less")
    if moved != expected:
        faults.append(f"pace {moved}, the row {expected}")
    if ("same pace" in text) != (abs(difference) <= EPSILON):
        faults.append("same pace")
    claims = {
        "the group improved": own > EPSILON,
        "and faster than the reference group": difference > EPSILON,
        "this group did not improve": own <= EPSILON,
        "reference group lost ground": other < 0,
        "eference group itself lost ground": other < 0,
        "moved less favourably than the reference group": difference < 0,
    }
    faults += [
        f"says {claim!r}"
        for claim, true in claims.items()
        if claim in text.replace("The group", "the group") and not true
    ]
    return faults + _standing_faults(text, row, status, last)


def _standing_faults(text: str, row: Row, status: str, last: float | None) -> list[str]:
    said = _NOW.search(text)
    if status not in ("reversed", "no_gap_at_baseline") or last is None:
        return ["says where the group is now"] if said else []
    size, side = shown(abs(last)), _side(last)
    expected = (None if side == "level" else size, side, str(row["last_year"]))
    faults = [] if said and said.groups() == expected else [f"now {said and said.groups()}, the row {expected}"]
    first, pace = number(row, "first_gap") or 0.0, number(row, "slope_difference") or 0.0
    fitted_end = number(row, "fitted_last_gap") if "fitted_last_gap" in row else None
    against = fitted_end is not None and ((first - last) * pace < 0 or _side(fitted_end) != _side(last))
    lines = _LINES.search(text)
    if bool(lines) != against:
        return [*faults, "single years and pace go different ways, and it is not told" if against else "lines"]
    if lines:
        fitted = fitted_end or 0.0
        years = (number(row, "last_year") or 0.0) - (number(row, "first_year") or 0.0)
        for said_end, gap in zip(lines.groups(), (fitted + pace * years, fitted), strict=True):
            end = _side(gap) if _side(gap) == "level" else f"{shown(abs(gap))} .* {_side(gap)}"
            faults += [] if re.fullmatch(end, said_end) else [f"by the lines {said_end!r}"]
    return faults


def _side(gap: float) -> str:
    """Where a group stands at a gap, as far as one decimal tells."""
    return "level" if shown(abs(gap)) == "0.0" else "behind" if gap > 0 else "ahead"


def fitted_faults(text: str, row: Row) -> list[str]:
    """What `12.0 → 9.5 fitted` says otherwise than the row, at both ends and in the direction of its class."""
    said, last, difference = _FITTED.match(text), number(row, "fitted_last_gap"), number(row, "slope_difference")
    first_year, last_year = number(row, "first_year"), number(row, "last_year")
    if said is None or last is None or difference is None or first_year is None or last_year is None:
        return [f"fitted {text!r}"]
    first = last + difference * (last_year - first_year)
    faults = [] if said.groups() == (shown(first), shown(last)) else [f"fitted {said.groups()}"]
    shrinks = {"narrowed": True, "narrowed_by_decline": True, "eliminated": None, "widened": False}
    way = shrinks.get(str(row["gap_status"]))
    return faults + (["grows or shrinks against its class"] if way is not None and (first > last) != way else [])


def label_faults(label: str, row: Row) -> list[str]:
    """Whether the short label of a gap says who is ahead as the row has it."""
    behind = shown(abs(number(row, "last_gap") or 0.0)) != "0.0" and (number(row, "last_gap") or 0.0) > 0
    now = row["gap_status"] == "reversed" and behind
    return [] if (label == "Was ahead, now behind") == now else [f"label {label!r}"]


def certainty_of(row: Row, direction: object) -> str | None:
    """How certain a page may call the status of a trend: certain, likely, could be chance, or nothing of it."""
    low, high, status = number(row, "slope_ci_low"), number(row, "slope_ci_high"), row["trend_status"]
    if status not in ("improving", "declining") or direction not in (1, -1) or row["slope"] is None:
        return None
    if low is None or high is None or low <= 0 <= high:
        return "could be chance"
    rises = (status == "improving") == (direction == 1)
    if rises != (low > 0):
        return "could be chance"
    return "certain" if row["robustness"] == "robust" else "likely"
