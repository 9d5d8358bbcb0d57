"""A second, plain implementation of RULES 2 to 5 and 7: one key at a time, in ordinary Python, written from the text.

Belongs here: the rules as a reader would do them by hand, to compare the product with.
Does not: import anything of the product, or be fast.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any

Row = dict[str, Any]
EPS = 1e-9
T_975 = {1: 12.706204736174698, 2: 4.302652729749464, 3: 3.182446305284263, 4: 2.7764451051977987}
BURDENED = {"american_indian_alaska_native", "black", "hispanic", "native_hawaiian_pacific_islander"}


def as_known(rows: Iterable[Row], year: int) -> list[Row]:
    """Versions in force at a reporting year."""
    return [row for row in rows if row["known_from"] <= year <= row["known_to"]]


def why_invalid(row: Row, year: int) -> str | None:
    """None for a valid point, else why it is none."""
    if row["value"] is None:
        if row["value_low"] is not None or row["value_high"] is not None:
            return "interval"
        return str(row["value_status"])
    if row["denominator"] is not None and row["denominator"] < 10:
        return "small_n"
    if row["value_status"] == "low_coverage":
        return "low_coverage"
    return "after_reporting_year" if row["school_year"] > year else None


def latest_window(points: Sequence[tuple[str, int]]) -> tuple[str, list[int], list[int]] | None:
    """Series, years of the latest segment, years of its window; points are (series, school year)."""
    segments: list[tuple[str, list[int]]] = []
    for series in sorted({series for series, _ in points}):
        for year in sorted(year for label, year in points if label == series):
            if segments and segments[-1][0] == series and year - segments[-1][1][-1] <= 2:
                segments[-1][1].append(year)
            else:
                segments.append((series, [year]))
    if not segments:
        return None
    series, years = max(segments, key=lambda segment: (segment[1][-1], len(segment[1]), segment[0]))
    return series, years, [year for year in years if year >= years[-1] - 4]


def line(x: Sequence[float], y: Sequence[float]) -> tuple[float, float]:
    """Slope and mean of y."""
    mean_x, mean_y = math.fsum(x) / len(x), math.fsum(y) / len(y)
    sxx = math.fsum((a - mean_x) ** 2 for a in x)
    return math.fsum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / sxx, mean_y


def status_of(slope: float, mean: float, direction: int, unit: str) -> str | None:
    """improving, maintained, declining; None without direction."""
    if direction == 0:
        return None
    tolerance = 0.5 if unit == "percent" else 0.005 * mean
    adjusted = direction * slope
    if adjusted > EPS:
        return "improving"
    return "maintained" if adjusted >= -tolerance - EPS else "declining"


def reason_for(points: Sequence[tuple[str, int]], window: list[int], year: int) -> str | None:
    """Why valid points make no trend; None if they do."""
    if year - window[-1] > 2:
        return "stale"
    if len(window) >= 3 and window[-1] - window[0] >= 2:
        return None
    return "series_break" if len(points) >= 3 else "too_few_points"


def trend(rows: list[Row], year: int, direction: int, unit: str) -> Row:
    """The row of fct_trend of one key, from its rows known at `year`; also (series, year) -> fate of each point."""
    fates = {(row["series"], row["school_year"]): why_invalid(row, year) for row in rows}
    valid = [row for row in rows if fates[row["series"], row["school_year"]] is None]
    result: Row = {"trend_status": "undetermined", "robustness": "undetermined", "n_years": 0, "fates": fates}
    points = [(row["series"], row["school_year"]) for row in valid]
    found = latest_window(points)
    if found is None:
        return result | {"reason": _reason_without_points(rows, year)}
    series, segment, window = found
    result |= {"series": series, "first_year": window[0], "last_year": window[-1], "n_years": len(window)}
    result["reason"] = reason_for(points, window, year)
    for label, school_year in points:
        if label != series or school_year not in segment:
            fates[label, school_year] = "other_segment"
        elif school_year not in window:
            fates[label, school_year] = "outside_window"
        else:
            fates[label, school_year] = result["reason"] or "used"
    if result["reason"]:
        return result
    used = sorted(
        (r["school_year"], r["value"], r["denominator"])
        for r in valid
        if fates[r["series"], r["school_year"]] == "used"
    )
    return result | _estimates([u[0] for u in used], [u[1] for u in used], [u[2] for u in used], direction, unit)


def _reason_without_points(rows: list[Row], year: int) -> str:
    kinds = [why_invalid(row, year) for row in rows if row["school_year"] <= year]
    exact = [kind for kind in kinds if kind in ("small_n", "low_coverage")]
    if exact:
        return "small_n" if "small_n" in exact else "low_coverage"
    return "interval_only" if "interval" in kinds else "no_data"


def _estimates(x: list[int], y: list[float], n: list[int | None], direction: int, unit: str) -> Row:
    slope, mean = line(x, y)
    mean_x = sum(x) / len(x)
    sxx = sum((a - mean_x) ** 2 for a in x)
    sse = math.fsum((b - mean - slope * (a - mean_x)) ** 2 for a, b in zip(x, y, strict=True))
    stderr = math.sqrt(sse / (len(x) - 2) / sxx)
    half = T_975[len(x) - 2] * stderr
    status = status_of(slope, mean, direction, unit)
    result: Row = {
        "slope": slope,
        "intercept": mean + slope * (x[-1] - mean_x),
        "slope_stderr": stderr,
        "slope_ci_low": slope - half,
        "slope_ci_high": slope + half,
        "r_squared": None,
        "adjusted_slope": direction * slope,
        "trend_status": status,
        "slope_theil_sen": median((y[j] - y[i]) / (x[j] - x[i]) for j in range(len(x)) for i in range(j)),
    }
    if max(y) - min(y) > EPS:
        result["r_squared"] = 1 - sse / math.fsum((b - mean) ** 2 for b in y)
    if len(x) >= 4:
        others = []
        for out in range(len(x)):
            kept = [i for i in range(len(x)) if i != out]
            left_slope, left_mean = line([x[i] for i in kept], [y[i] for i in kept])
            others.append(status_of(left_slope, left_mean, direction, unit))
        result["robustness"] = "robust" if all(other == status for other in others) else "fragile"
    if all(size is not None for size in n):
        result |= _with_sizes(x, y, [size or 0 for size in n], slope, direction, unit)
    return result


def _with_sizes(x: list[int], y: list[float], n: list[int], slope: float, direction: int, unit: str) -> Row:
    mean_x, total = sum(x) / len(x), sum(n)
    wx = sum(w * a for w, a in zip(n, x, strict=True)) / total
    wy = math.fsum(w * b for w, b in zip(n, y, strict=True)) / total
    weighted = math.fsum(w * (a - wx) * (b - wy) for w, a, b in zip(n, x, y, strict=True))
    weighted /= sum(w * (a - wx) ** 2 for w, a in zip(n, x, strict=True))
    result: Row = {"slope_weighted": weighted}
    sxx = sum((a - mean_x) ** 2 for a in x)
    variance = math.fsum(
        ((a - mean_x) / sxx) ** 2 * (b / 100) * (1 - b / 100) / w for w, a, b in zip(n, x, y, strict=True)
    )
    sd = 100 * math.sqrt(max(variance, 0.0))
    if unit == "percent" and sd > 0:
        result["slope_binomial_low"] = slope - 1.96 * sd
        result["slope_binomial_high"] = slope + 1.96 * sd
        result["prob_slope_positive"] = 0.5 * math.erfc(-direction * slope / sd / math.sqrt(2))
    return result


def gap(group: list[Row], reference: list[Row], year: int, direction: int) -> Row:
    """The row of fct_gap of one group, from both groups' rows known at `year`."""
    ours = {(r["series"], r["school_year"]): r["value"] for r in group if why_invalid(r, year) is None}
    theirs = {(r["series"], r["school_year"]): r["value"] for r in reference if why_invalid(r, year) is None}
    points = [point for point in ours if point in theirs]
    result: Row = {"gap_status": "undetermined", "n_years": 0, "reference_declined": False}
    found = latest_window(points)
    if found is None:
        return result | {"reason": "no_data"}
    series, _, window = found
    result |= {"series": series, "first_year": window[0], "last_year": window[-1], "n_years": len(window)}
    result["reason"] = reason_for(points, window, year)
    if result["reason"]:
        return result
    b, ref = [ours[series, y] for y in window], [theirs[series, y] for y in window]
    gaps = [direction * (r - g) for r, g in zip(ref, b, strict=True)]
    s_b, s_ref = direction * line(window, b)[0], direction * line(window, ref)[0]
    result |= {"first_gap": gaps[0], "last_gap": gaps[-1], "group_slope": s_b, "reference_slope": s_ref}
    result["slope_difference"] = s_b - s_ref
    gap_slope, gap_mean = line(window, gaps)
    fitted = gap_mean + gap_slope * (window[-1] - sum(window) / len(window))
    result["gap_status"] = _gap_class(gaps, fitted, s_b, s_ref)
    result["reference_declined"] = result["gap_status"] == "narrowed" and s_ref < -EPS
    return result


def _gap_class(gaps: list[float], fitted: float, s_b: float, s_ref: float) -> str:
    if abs(gaps[0]) <= 1 + EPS:
        return "no_gap_at_baseline"
    if gaps[0] < -1:
        return "reversed"
    if s_b > EPS and gaps[-1] <= 1 + EPS and gaps[-2] <= 1 + EPS and fitted <= 1 + EPS:
        return "eliminated"
    if s_b > s_ref + EPS:
        return "narrowed" if s_b > EPS else "narrowed_by_decline"
    return "unchanged" if abs(s_b - s_ref) <= EPS else "widened"


def verdict(classes: Iterable[str]) -> str:
    """Gap verdict of one indicator from the classes of its burdened groups."""
    counted = [c for c in classes if c not in ("undetermined", "no_gap_at_baseline", "reversed")]
    if not counted:
        return "undetermined"
    reduced = sum(c in ("narrowed", "eliminated") for c in counted)
    return "met" if 2 * reduced > len(counted) else "not_met"


def majority_status(statuses: Iterable[str]) -> str:
    """Status of an outcome without primary."""
    known = [s for s in statuses if s != "undetermined"]
    if not known:
        return "undetermined"
    count = {name: known.count(name) for name in ("improving", "maintained", "declining")}
    if 2 * count["improving"] > len(known):
        return "improving"
    if 2 * (count["improving"] + count["maintained"]) > len(known):
        return "maintained"
    return "declining" if 2 * count["declining"] > len(known) else "mixed"


def fixed_effects(points: Iterable[tuple[str, int, float]]) -> float | None:
    """Within-unit slope; points are (unit, year, value)."""
    units: dict[str, list[tuple[int, float]]] = {}
    for unit, year, value in points:
        units.setdefault(unit, []).append((year, value))
    top = bottom = 0.0
    for pairs in units.values():
        mean_x, mean_y = (sum(pair[i] for pair in pairs) / len(pairs) for i in (0, 1))
        top += sum((x - mean_x) * (y - mean_y) for x, y in pairs)
        bottom += sum((x - mean_x) ** 2 for x, _ in pairs)
    return top / bottom if bottom else None
