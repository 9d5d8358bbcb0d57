"""Places that repeat other places' counts: regional rows among districts, one district under two names.

Belongs here: finding, within one level of one submission, places whose counts are the sum of all others.
Does not: sums against the community's own row (within_submission.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from dagster_project.lib.base.ruleset import ComparisonRules
from dagster_project.lib.intake.comparing.compared_values import CELL, no_issues, text_of, told

LEVEL = [*CELL, "geography_level"]
SUBJECT = ["indicator_id", "geography_level", "series", "school_year", "period"]
NAMED = 3
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Overlaps:
    """Issues, and the cells (CELL and geography_level) they speak of."""

    issues: pl.DataFrame
    cells: pl.DataFrame


def double_counting(values: pl.DataFrame, limits: ComparisonRules) -> Overlaps:
    """double_counting: sets of places whose totals, numerator and denominator, are exactly those of all others.

    Regional bodies are among the largest places of a level and fewer than the places they are made of, so the sets are
    looked for among the largest (`overlap.candidates`) only. Two places with the same counts in every row are told
    too. Sums that agree for the total must agree for every group in which no place is masked.
    """
    places = values.filter(
        (pl.col("geography_level") != "community")
        & (pl.col("denominator") > 0)
        & pl.col("numerator").is_not_null()
        & pl.col("population_group_id").is_not_null()
    )
    regions = _regions(places, limits)
    # A region that repeats one district only is told with the other regions.
    twins = _twins(places, limits).join(regions, on=[*LEVEL, "geography_id"], how="anti", maintain_order="left")
    cells = pl.concat([part.select(LEVEL) for part in (regions, twins)]).unique(maintain_order=True)
    return Overlaps(pl.concat([_tell_regions(regions), _tell_twins(twins)]), cells)


def _regions(places: pl.DataFrame, limits: ComparisonRules) -> pl.DataFrame:
    """Total rows of regional places, with _n, _others, _sum and _names of their set."""
    totals = places.filter(pl.col("population_group_id") == "all")
    size = pl.len().over(LEVEL)
    half = (pl.col("denominator").sum().over(LEVEL) % 2 == 0) & (pl.col("numerator").sum().over(LEVEL) % 2 == 0)
    news = pl.col("is_news").any().over(LEVEL)
    large = pl.col("denominator").sum().over(LEVEL) >= 2 * limits["overlap.min_count"]
    asked = totals.filter((size >= limits["overlap.min_places"]) & half & news & large)
    # Of places with the same counts the one with the longer name is rather the body than the district.
    longer = pl.col("spot").str.len_chars()
    asked = asked.with_columns(_long=longer).sort(
        *LEVEL,
        "denominator",
        "numerator",
        "_long",
        "geography_id",
        descending=[False] * len(LEVEL) + [True] * 3 + [False],
    )
    found = []
    for cell in asked.partition_by(LEVEL, maintain_order=True):
        chosen = _half_of(cell["denominator"].to_numpy(), cell["numerator"].to_numpy(), limits)
        if chosen is not None and _holds_for_groups(cell, chosen, places):
            found.append(_described(cell[chosen], cell.height - len(chosen)))
    return (
        pl.concat(found)
        if found
        else asked.clear().with_columns(_n=pl.lit(0), _others=pl.lit(0), _sum=pl.lit(0), _names=pl.lit(""))
    )


def _half_of(denominators: Counts, numerators: Counts, limits: ComparisonRules) -> list[int] | None:
    """Positions (largest first, the first included) that hold exactly half of both sums, or None.

    Among the largest places every subset is tried, in two halves met in the middle.
    """
    candidates = min(len(denominators), int(limits["overlap.candidates"]))
    most = int(len(denominators) // (1 + limits["overlap.members_per_region"]))
    # One number for both counts: denominators are above any sum of numerators times two.
    base = int(denominators.sum()) + 1
    packed = denominators[:candidates] * base + numerators[:candidates]
    target = (int(denominators.sum()) // 2) * base + int(numerators.sum()) // 2 - int(packed[0])
    rest = packed[1:]
    left, right = rest[: len(rest) // 2], rest[len(rest) // 2 :]
    sums_left, sums_right = _subset_sums(left), _subset_sums(right)
    order = np.argsort(sums_right, kind="stable")
    spots = np.searchsorted(sums_right[order], target - sums_left)
    spots = np.minimum(spots, len(order) - 1)
    hits = np.flatnonzero(sums_right[order][spots] == target - sums_left)
    sets = [_members(int(hit), int(order[spots[hit]]), len(left)) for hit in hits]
    fitting = [chosen for chosen in sets if len(chosen) <= most]
    return min(fitting, key=lambda chosen: (len(chosen), chosen), default=None)


def _subset_sums(numbers: Counts) -> Counts:
    """The sum of every subset; bit i of a position says whether number i takes part."""
    sums = np.zeros(1, dtype=np.int64)
    for number in numbers:
        sums = np.concatenate([sums, sums + number])
    return sums


def _members(left: int, right: int, width: int) -> list[int]:
    bits = left | right << width
    return [0, *(place + 1 for place in range(bits.bit_length()) if bits >> place & 1)]


def _holds_for_groups(cell: pl.DataFrame, chosen: list[int], places: pl.DataFrame) -> bool:
    """Whether in every group that all places report the chosen ones hold half of the denominators as well."""
    same = places.join(cell.select(LEVEL).head(1), on=LEVEL, how="semi").filter(pl.col("population_group_id") != "all")
    regional = pl.col("geography_id").is_in(cell["geography_id"].gather(chosen).to_list())
    sums = same.group_by("population_group_id").agg(
        pl.len().alias("n"), pl.col("denominator").sum(), pl.col("denominator").filter(regional).sum().alias("half")
    )
    full = sums.filter(pl.col("n") == cell.height)
    return bool((full["denominator"] == 2 * full["half"]).all())


def _described(rows: pl.DataFrame, others: int) -> pl.DataFrame:
    names = rows["spot"].sort().to_list()
    listed = ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
    return rows.with_columns(
        _n=pl.lit(rows.height),
        _others=pl.lit(others),
        _sum=pl.lit(int(rows["denominator"].sum())),
        _names=pl.lit(listed),
    )


def _tell_regions(regions: pl.DataFrame) -> pl.DataFrame:
    if not regions.height:
        return no_issues()
    places = pl.when(pl.col("_n") == 1).then(pl.lit(" place has ")).otherwise(pl.lit(" places have together "))
    total = text_of(pl.col("_n"), places, pl.col("_sum"), " in ", pl.col("school_year"))
    found = text_of(total, ", exactly the sum of the other ", pl.col("_others"), ": ", pl.col("_names"))
    return told(regions, "double_counting", "geography", found, pl.lit(None, pl.String), SUBJECT)


def _twins(places: pl.DataFrame, limits: ComparisonRules) -> pl.DataFrame:
    """First rows of places that agree with an earlier named one in every count of the cell, with _twin its name."""
    per_place = places.sort(*LEVEL, "geography_id", "population_group_id").group_by(
        *LEVEL, "geography_id", maintain_order=True
    )
    counts = pl.struct("population_group_id", "numerator", "denominator")
    rows = per_place.agg(
        counts.alias("_counts"),
        pl.len().alias("_n"),
        pl.col("denominator").max().alias("_largest"),
        pl.col("is_news").any().alias("_news"),
        *(pl.col(name).first() for name in places.columns if name not in (*LEVEL, "geography_id")),
    )
    rows = rows.filter(
        (pl.col("_n") >= limits["overlap.same_cells"]) & (pl.col("_largest") >= limits["overlap.min_count"])
    )
    rows = rows.with_columns(_key=pl.col("_counts").hash(seed=0))
    same = [*LEVEL, "_key"]
    rows = rows.filter((pl.len().over(same) > 1) & pl.col("_news").any().over(same))
    rows = rows.sort(*same, pl.col("spot").str.len_chars(), "geography_id")
    rows = rows.with_columns(_twin=pl.col("spot").first().over(same), _again=pl.int_range(pl.len()).over(same) > 0)
    return rows.filter("_again")


def _tell_twins(twins: pl.DataFrame) -> pl.DataFrame:
    if not twins.height:
        return no_issues()
    found = text_of(
        pl.col("spot"),
        " has the same counts as ",
        pl.col("_twin"),
        " in all ",
        pl.col("_n"),
        " rows of ",
        pl.col("school_year"),
    )
    return told(twins, "double_counting", "geography", found, pl.lit(None, pl.String), [*SUBJECT, "geography_id"])
