"""What a published slope, gap or class says of points that are not published (RULES 3, 4 and 8.3).

Belongs here: windows as an attacker infers them from kinds, figures as weighted sums of rates, classes as inequalities.
Does not: compute a figure from hidden values, or look at a row whose points are all published.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.reference.disclosure.model import Key, Network, PublicRelease, Row
from tests.reference.disclosure.rules import CODED, COMPLEMENTARY, PLAIN, RATE, SMALL, Cell
from tests.unit.analysis.reference import latest_window

VALID = (PLAIN, CODED, COMPLEMENTARY, RATE)
"""Kinds whose internal value is exact and of at least RULES 3's min_n, 10."""
TREND_MIN_N = 10
SLACK = 1e-7
BEYOND = 3e-7
"""A strict inequality; rates of small counts differ by far more."""
BASELINE_MIN = 1.0
TOLERANCE = 0.5
"""RULES 3: maintain_tolerance, percentage points a year."""
UNBOUNDED = math.inf
Weights = dict[Key, float]


@dataclass(frozen=True)
class Clue:
    """low <= sum of weight * rate <= high, over the points of a window."""

    weights: Weights
    low: float
    high: float


@dataclass(frozen=True)
class _Seen:
    """One release as the attacker looks at it."""

    network: Network
    cells: Mapping[Key, Cell]
    kinds: Mapping[Key, str]
    public: Mapping[Key, Row]

    def points(self, row: Row, group: str) -> dict[tuple[str, int], Key] | None:
        """Annual points of a group at a row's place that are valid internally; None where one cannot tell."""
        found = {}
        for key, kind in self.kinds.items():
            same = key[0] == row["community_id"] and key[1] == row["indicator_id"] and key[3] == "annual"
            if same and key[4] == group and key[5] == row["geography_id"] and key[6] <= row["reporting_year"]:
                if kind == SMALL and self.cells[key].min_n > TREND_MIN_N:
                    return None
                if kind in VALID:
                    found[key[2], key[6]] = key
        return found

    def hidden(self, keys: Sequence[Key]) -> bool:
        """Whether a point's counts are to be found; a hidden rate without n could be anything, so it tells nothing."""
        gone = [key for key in keys if self.public.get(key) is None or self.public[key]["value"] is None]
        return bool(gone) and all(self.kinds[key] != RATE for key in gone)


def trend_clues(
    network: Network,
    release: PublicRelease,
    cells: Mapping[Key, Cell],
    kinds: Mapping[Key, str],
    public: Mapping[Key, Row],
) -> Iterator[Clue]:
    """Clues of fct_trend."""
    seen, directions = _Seen(network, cells, kinds, public), _percent(network)
    for row in release.fct_trend.iter_rows(named=True):
        points = seen.points(row, row["population_group_id"]) if row["indicator_id"] in directions else None
        window = _window(points or {}, row["reporting_year"])
        if not points or not window:
            continue
        series, years = window
        keys = [points[series, year] for year in years]
        if not seen.hidden(keys):
            continue
        direction, slope = directions[row["indicator_id"]], _slope(years)
        yield from _equal(keys, slope, row["slope"])
        yield from _equal(keys, [direction * c for c in slope], row["adjusted_slope"])
        yield from _equal(keys, _fitted(years), row["intercept"])
        bounds = {
            "improving": (BEYOND, UNBOUNDED),
            "maintained": (-TOLERANCE, 0.0),
            "declining": (-UNBOUNDED, -TOLERANCE - BEYOND),
        }
        if direction and row["trend_status"] in bounds:
            low, high = bounds[row["trend_status"]]
            yield _clue(keys, [direction * c for c in slope], low, high)


def gap_clues(
    network: Network,
    release: PublicRelease,
    cells: Mapping[Key, Cell],
    kinds: Mapping[Key, str],
    public: Mapping[Key, Row],
) -> Iterator[Clue]:
    """Clues of fct_gap."""
    seen, directions = _Seen(network, cells, kinds, public), _percent(network)
    for row in release.fct_gap.iter_rows(named=True):
        if row["indicator_id"] not in directions:
            continue
        ours = seen.points(row, row["population_group_id"])
        theirs = seen.points(row, row["reference_group_id"])
        if ours is None or theirs is None:
            continue
        both = {point: key for point, key in ours.items() if point in theirs}
        window = _window(both, row["reporting_year"])
        if not window:
            continue
        series, years = window
        keys = [both[series, year] for year in years]
        references = [theirs[series, year] for year in years]
        if seen.hidden([*keys, *references]):
            yield from _gap_row(row, keys, references, years, directions[row["indicator_id"]])


def _gap_row(
    row: Row, keys: Sequence[Key], references: Sequence[Key], years: Sequence[int], direction: int
) -> Iterator[Clue]:
    count = len(years)
    first, last = [1.0] + [0.0] * (count - 1), [0.0] * (count - 1) + [1.0]
    before_last = [0.0] * (count - 2) + [1.0, 0.0]
    slope = _slope(years)
    both = [*keys, *references]

    def gap(weights: Sequence[float]) -> list[float]:
        return [-direction * w for w in weights] + [direction * w for w in weights]

    nothing = [0.0] * count
    group, reference = [direction * c for c in slope] + nothing, nothing + [direction * c for c in slope]
    difference = [a - b for a, b in zip(group, reference, strict=True)]
    numbers = {
        "first_gap": gap(first),
        "last_gap": gap(last),
        "group_slope": group,
        "reference_slope": reference,
        "slope_difference": difference,
    }
    for name, weights in numbers.items():
        yield from _equal(both, weights, row[name])
    status = row["gap_status"]
    if status == "no_gap_at_baseline":
        yield _clue(both, gap(first), -BASELINE_MIN, BASELINE_MIN)
    elif status == "reversed":
        yield _clue(both, gap(first), -UNBOUNDED, -BASELINE_MIN - BEYOND)
    elif status in _CLASSES:
        yield _clue(both, gap(first), BASELINE_MIN + BEYOND, UNBOUNDED)
        (low, high), (group_low, group_high) = _CLASSES[status]
        yield _clue(both, difference, low, high)
        yield _clue(both, group, group_low, group_high)
        if status == "eliminated":
            for weights in (last, before_last, _fitted(years)):
                yield _clue(both, gap(weights), -UNBOUNDED, BASELINE_MIN)
        if status == "narrowed" and row["reference_declined"] is not None:
            yield _clue(both, reference, *((-UNBOUNDED, -BEYOND) if row["reference_declined"] else (0.0, UNBOUNDED)))


_ANY, _UP = (-UNBOUNDED, UNBOUNDED), (BEYOND, UNBOUNDED)
_CLASSES = {
    "eliminated": (_ANY, _UP),
    "narrowed": (_UP, _UP),
    "narrowed_by_decline": (_UP, (-UNBOUNDED, 0.0)),
    "unchanged": ((0.0, 0.0), _ANY),
    "widened": ((-UNBOUNDED, -BEYOND), _ANY),
}
"""Class -> bounds of slope_difference, bounds of group_slope."""


def _percent(network: Network) -> dict[str, int]:
    return {
        row["indicator_id"]: row["direction"]
        for row in network.dim_indicator.iter_rows(named=True)
        if row["unit"] == "percent"
    }


def _window(points: Mapping[tuple[str, int], Key], year: int) -> tuple[str, list[int]] | None:
    """Series and years of a determined window; None where RULES 3 gives undetermined."""
    found = latest_window(list(points))
    if found is None or len(found[2]) < 3 or found[2][-1] - found[2][0] < 2 or year - found[2][-1] > 2:
        return None
    return found[0], found[2]


def _slope(years: Sequence[int]) -> list[float]:
    mean = sum(years) / len(years)
    spread = sum((year - mean) ** 2 for year in years)
    return [(year - mean) / spread for year in years]


def _fitted(years: Sequence[int]) -> list[float]:
    """Weights of the fitted value at the last year."""
    ahead = years[-1] - sum(years) / len(years)
    return [1 / len(years) + ahead * c for c in _slope(years)]


def _equal(keys: Sequence[Key], weights: Sequence[float], value: float | None) -> Iterator[Clue]:
    if value is not None:
        yield _clue(keys, weights, value, value)


def _clue(keys: Sequence[Key], weights: Sequence[float], low: float, high: float) -> Clue:
    summed: Weights = {}
    for key, weight in zip(keys, weights, strict=True):
        summed[key] = summed.get(key, 0.0) + weight
    return Clue(summed, low - SLACK, high + SLACK)
