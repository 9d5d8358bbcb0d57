"""Rows drawn at the edges of RULES 8.1, beside a plain reading of each: its kind, what leaves, what it says.

Belongs here: the plain reading, in exact fractions and by trying every numerator. Does not: sums, or what is withheld
besides.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.lib.disclosure import Profile
from dagster_project.lib.disclosure.cells import (
    PUBLIC_COLUMNS,
    classify,
    facts_of,
    public_values,
    with_classes,
)
from dagster_project.lib.disclosure.words import INF
from tests.reference.disclosure.rules import zone
from tests.unit.disclosure.tables import GRADUATION, HEALTH, INDICATORS, STATE, TOWN, Row, row, values

WHOLE = {"percent": 100, "per_1000": 1000}
SECTOR_MIN = {GRADUATION: 10, HEALTH: 11}
PUBLIC = "State report card"
HIDDEN = ("small", "withheld_without_count")

sizes = st.sampled_from([None, 0, 1, 5, 9, 10, 11, 12, 19, 20, 21, 40, 41, 50, 100, 101, 200, 201, 999])
rates = st.sampled_from(
    [None, None, 0.0, 0.5, 1.0, 2.0, 5.0, 9.9, 10.0, 20.0, 33.3, 41.67, 41.6666667, 50.0, 90.0, 98.0, 99.5, 100.0]
)
bounds = st.sampled_from([None, None, 0.0, 5.0, 20.0, 50.0, 95.0, 100.0])


@st.composite
def rows_drawn(draw: st.DrawFn) -> Row:
    unit = draw(st.sampled_from(["percent", "percent", "percent", "per_1000", "count", "score"]))
    n = draw(sizes)
    k = draw(st.one_of(st.none(), st.integers(0, 12), st.integers(0, n or 12)))
    value = draw(rates) if unit != "count" else draw(st.sampled_from([None, 0.0, 1.0, 9.0, 10.0, 10.5, 11.0, 300.0]))
    if k is not None and n and unit in WHOLE and draw(st.booleans()):
        k = min(k, n)
        value = WHOLE[unit] * k / n
    low, high = draw(bounds), draw(bounds)
    given_bounds = sorted(each for each in (low, high) if each is not None) if None not in (low, high) else (low, high)
    status = "range" if (low, high) != (None, None) else draw(st.sampled_from(["suppressed_at_source", "missing"]))
    masked = value is None
    return row(
        "all",
        n,
        k,
        unit=unit,
        indicator_id=draw(st.sampled_from([GRADUATION, HEALTH])),
        value=value,
        value_low=given_bounds[0] if masked else None,
        value_high=given_bounds[1] if masked else None,
        value_status=status if masked else "reported",
        data_source=draw(st.sampled_from([None, PUBLIC, "local partner"])),
    )


@dataclass
class Plain:
    """One row as a reader of RULES 8.1 takes it."""

    row: Row

    def __post_init__(self) -> None:
        given = self.row
        self.unit, self.value = str(given["unit"]), given["value"]
        self.whole = WHOLE.get(self.unit)
        self.min_n = SECTOR_MIN[str(given["indicator_id"])]
        self.masked = given["value_status"] in ("range", "suppressed_at_source")
        if self.unit == "count":
            self.n = int(self.value) if self.value is not None and float(self.value).is_integer() else None  # type: ignore[arg-type]
        else:
            self.n = given["denominator"]  # type: ignore[assignment]
        self.has_k = self.whole is not None or (self.unit != "count" and given["numerator"] is not None)
        self.k = self._k()

    def fitting(self, value: Any, low: Any, high: Any) -> list[int]:
        """Numerators that a printed rate, or its printed bounds, leave; all where it leaves none."""
        assert self.n is not None and self.whole is not None
        if value is not None:
            half = half_unit(value)
            low, high = exact(value) - half, exact(value) + half
        low, high = (
            exact(end) if end is not None else each for end, each in ((low, Fraction(0)), (high, Fraction(self.whole)))
        )
        found = [k for k in range(self.n + 1) if low <= Fraction(self.whole * k, self.n or 1) <= high]
        return found or list(range(self.n + 1))

    def _k(self) -> int | None:
        if self.n == 0:
            return 0
        if self.unit == "count" or self.row["numerator"] is not None:
            return None if self.unit == "count" else int(str(self.row["numerator"]))
        if self.whole is None or self.n is None or self.value is None:
            return None
        found = self.fitting(self.value, None, None)
        return found[0] if len(found) == 1 else None

    @property
    def side(self) -> str:
        """Of a rate in the zone of its n: low or high."""
        if self.unit != "percent" or not self.n:
            return ""
        if self.k is None and self.value is None:
            return ""
        rate = Fraction(100 * self.k, self.n) if self.k is not None else exact(self.value)
        return "low" if rate <= zone(self.n) else "high" if rate >= 100 - zone(self.n) else ""

    @property
    def kind(self) -> str:
        hidden = "source_masked" if self.masked else "missing"
        if self.unit == "count":
            if self.value is None:
                return hidden
            return "small" if 0 < float(str(self.value)) < self.min_n else "published"
        if self.n == 0:
            return "not_applicable"
        if self.n is None:
            return self._kind_without_n(hidden)
        if self.value is None and self.k is None:
            return "source_masked"
        if self.n < self.min_n:
            return "small"
        return "coded" if self.side else "published"

    def _kind_without_n(self, hidden: str) -> str:
        if self.k is not None:
            if self.masked:
                return "source_masked"
            if self.k < self.min_n:
                return "small"
        if self.value is not None:
            return "rate_without_n" if self.row["data_source"] == PUBLIC else "withheld_without_count"
        return "published" if self.k is not None else hidden

    @property
    def prints_n(self) -> bool:
        if self.n is None or self.kind in (*HIDDEN, "rate_without_n"):
            return False
        return self.kind != "source_masked" or self.n >= self.min_n

    def public(self) -> dict[str, object]:
        """The numbers and the word that leave the house."""
        kind, numbers = self.kind, ("value", "value_low", "value_high", "numerator", "denominator")
        out: dict[str, object] = {name: self.row[name] for name in (*numbers, "value_status")}
        if kind in HIDDEN:
            return dict.fromkeys(numbers) | {"value_status": "withheld"}
        if kind in ("coded", "source_masked"):
            out |= {"value": None, "numerator": None}
        if kind == "coded":
            width = float(zone(self.n or 0))
            ends = (0.0, width) if self.side == "low" else (100 - width, 100.0)
            out |= {"value_low": ends[0], "value_high": ends[1], "value_status": "range"}
        if kind == "source_masked" and not (self.n is not None and self.n >= self.min_n):
            out["denominator"] = None
        # The value of a plain count is its own n; the columns of counts are none of it.
        return out | dict.fromkeys(("numerator", "denominator")) if self.unit == "count" else out

    def n_known(self) -> tuple[float, float]:
        if self.prints_n:
            return float(self.n or 0), float(self.n or 0)
        if self.n is not None and (self.kind == "small" or self.kind == "source_masked"):
            return 1.0, self.min_n - 1.0
        return (1.0 if self.kind == "rate_without_n" else 0.0), INF

    def k_known(self) -> tuple[float, float]:
        public = self.public()
        if self.kind in ("published", "rate_without_n", "not_applicable"):
            k = self._printed(public)
            if k is not None:
                return float(k), float(k)
        if self.prints_n and self.whole is not None:
            found = self.fitting(public["value"], public["value_low"], public["value_high"])
            return float(min(found)), float(max(found))
        if self.kind == "small" and self.n is None and self.unit != "count":
            return 0.0, self.min_n - 1.0
        return 0.0, INF

    def rates_known(self) -> tuple[float, float]:
        """Shares of one between which k lies of n: only where n is not printed do they bind what is open."""
        if self.kind not in ("rate_without_n", "source_masked") or self.prints_n or self.whole is None:
            return 0.0, 1.0
        public = self.public()
        low, high, value = public["value_low"], public["value_high"], public["value"]
        if value is not None:
            half = min(half_unit(value), Fraction(1, 20))
            low, high = exact(value) - half, exact(value) + half
            if exact(value) >= self.whole:
                low = self.whole
            if exact(value) <= 0:
                high = 0
        ends = [exact(end) / self.whole if end is not None else each for end, each in ((low, 0), (high, 1))]
        return tuple(float(min(max(end, 0), 1)) for end in ends)  # type: ignore[return-value]

    def _printed(self, public: dict[str, object]) -> int | None:
        return Plain({**self.row, **public}).k


def exact(value: Any) -> Fraction:
    """A stored rate as it would be printed: a float that came from counts is no more than its decimals."""
    return value if isinstance(value, Fraction) else Fraction(repr(float(value)))


def half_unit(value: Any) -> Fraction:
    """Half a unit of the last printed digit, six decimals at most."""
    for digits in range(6):
        scaled = exact(value) * 10**digits
        if abs(scaled - round(scaled)) < Fraction(1, 2 * 10 ** (6 - digits)):
            return Fraction(1, 2 * 10**digits)
    return Fraction(1, 2 * 10**6)


COMMUNITIES = pl.DataFrame({"community_id": [TOWN], "state": [STATE]})


def agree(profile: Profile, drawn: list[Row]) -> None:
    """The rows, each of a year of its own, are what their plain readings are."""
    given_rows = [{**each, "school_year": 2000 + year} for year, each in enumerate(drawn)]
    frame = values(given_rows)
    cells = with_classes(classify(frame, INDICATORS, COMMUNITIES, profile)).sort("school_year")
    public = public_values(frame, cells, profile).sort("school_year")
    register = cells.with_columns(token=pl.lit(""))
    facts = facts_of(public.select(PUBLIC_COLUMNS), register).sort("school_year")
    by_year = zip(given_rows, cells.to_dicts(), public.to_dicts(), facts.to_dicts(), strict=True)
    for given_row, cell, shown, known in sorted(by_year, key=lambda each: int(str(each[0]["school_year"]))):
        plain = Plain(given_row)
        assert (cell["kind"], cell["min_n"]) == (plain.kind, plain.min_n), given_row
        assert (cell["n"], cell["k"], cell["has_k"]) == (plain.n, plain.k, plain.has_k), given_row
        assert {name: shown[name] for name in plain.public()} == plain.public(), given_row
        assert (known["n_low"], known["n_high"]) == plain.n_known(), given_row
        assert (known["k_low"], known["k_high"]) == plain.k_known(), given_row
        assert (known["rate_low"], known["rate_high"]) == pytest.approx(plain.rates_known(), abs=1e-12), given_row


@settings(max_examples=250, derandomize=True)
@given(st.lists(rows_drawn(), min_size=10, max_size=10))
def test_any_row_has_the_kind_leaves_and_says_what_its_plain_reading_does(profile: Profile, drawn: list[Row]) -> None:
    agree(profile, drawn)


def test_a_rate_without_a_size_is_known_to_half_a_unit_of_its_last_digit_six_decimals_at_most(profile: Profile) -> None:
    rates = (42.0, 41.7, 41.67, 41.667, 41.6667, 41.66667, 41.666667, 41.6666667, 0.0, 100.0)
    agree(profile, [row(value=value, value_status="reported", data_source=PUBLIC) for value in rates])
