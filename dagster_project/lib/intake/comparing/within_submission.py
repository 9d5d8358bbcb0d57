"""Values of one submission beside each other: groups and total, places and community, fractions and percentages.

Belongs here: sums that must agree within one folder, and one unit in one column.
Does not: earlier years (over_years.py), places that repeat other places (overlaps.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from dagster_project.lib.base.reference import Reference
from dagster_project.lib.base.ruleset import ComparisonRules
from dagster_project.lib.intake.comparing.compared_values import CELL, in_words, shown, text_of, told

GROUPS_OF = [*CELL, "geography_id"]
PLACES_OF = [*CELL, "population_group_id"]
COUNTS = ("denominator", "numerator")
WHOLE_ENOUGH = 0.25  # With more rounding than this every number is near a whole one, which says nothing.


def groups_against_totals(values: pl.DataFrame, reference: Reference, limits: ComparisonRules) -> pl.DataFrame:
    """groups_against_total: counts of a dimension's groups beside the total's, and the total's rate beside theirs.

    More than the total is always asked about; less, and a rate outside the groups', only where the dimension is
    complete: at least two groups and half of the dictionary's stand there, none of them masked.
    """
    total = pl.col("population_group_id") == "all"
    listed = reference.groups.group_by("dimension").agg(pl.len().alias("_listed"))
    sums = (
        values.filter(~total & pl.col("population_group_id").is_not_null())
        .group_by(*GROUPS_OF, "dimension", maintain_order=True)
        .agg(*_sums(), pl.col("value").min().alias("_lowest"), pl.col("value").max().alias("_highest"))
        .join(listed, on="dimension", how="left", maintain_order="left")
    )
    joined = values.filter(total).drop("dimension").join(sums, on=GROUPS_OF, maintain_order="left")
    joined = joined.filter(pl.col("is_news") | pl.col("_news"))
    share = limits["groups.complete_share"] * pl.col("_listed").fill_null(0)
    complete = pl.col("_n") >= pl.max_horizontal(pl.lit(2.0), share)
    differs = _disagreement("groups", complete, limits)
    slack = limits["groups.rate_slack"]
    outside = (pl.col("value") < pl.col("_lowest") - slack) | (pl.col("value") > pl.col("_highest") + slack)
    outside = outside & pl.col("exact") & pl.col("_all_exact") & complete
    rates = pl.when(outside).then(
        text_of(
            "total ",
            shown("value"),
            ", groups of ",
            pl.col("dimension"),
            " ",
            shown("_lowest"),
            " to ",
            shown("_highest"),
        )
    )
    said = text_of("groups of ", pl.col("dimension"), " add up to ", differs)
    allowed = text_of("groups that add up to the total of ", pl.col("indicator_name"))
    subject = ["indicator_id", "dimension", "geography_id", "series", "school_year", "period"]
    by_counts = said.is_not_null()
    causes = {"denominator": pl.when(by_counts).then(said), "value": pl.when(~by_counts).then(rates)}
    parts = []
    for column, found in causes.items():
        hit = joined.with_columns(_said=text_of(found, " in ", pl.col("school_year")))
        hit = hit.filter(pl.col("_said").is_not_null())
        parts.append(told(hit, "groups_against_total", column, pl.col("_said"), allowed, subject))
    return pl.concat(parts)


def geography_sums(
    values: pl.DataFrame, reference: Reference, limits: ComparisonRules, overlapping: pl.DataFrame
) -> pl.DataFrame:
    """geography_sum: counts of all places of one level beside the community's own.

    More than the community is always asked about; less only where the network lists places of that level, all of those
    valid that year stand there, and none is masked. `overlapping` are cells (CELL and geography_level) whose places
    repeat each other: that is the cause already told.
    """
    own = pl.col("geography_level") == "community"
    sums = (
        values.filter(~own)
        .join(overlapping, on=[*CELL, "geography_level"], how="anti", maintain_order="left")
        .group_by(*PLACES_OF, "geography_level", maintain_order=True)
        .agg(*_sums())
    )
    joined = values.filter(own).drop("geography_level").join(sums, on=PLACES_OF, maintain_order="left")
    joined = joined.filter(pl.col("is_news") | pl.col("_news"))
    joined = joined.join(
        _listed_places(joined, reference),
        on=["community_id", "geography_level", "school_year"],
        how="left",
        maintain_order="left",
    )
    differs = _disagreement("places", pl.col("_n") >= pl.col("_listed"), limits)
    found = text_of(pl.col("geography_level"), " rows add up to ", differs, " in ", pl.col("school_year"))
    hit = joined.with_columns(_said=found).filter(pl.col("_said").is_not_null())
    allowed = text_of("places that add up to the community's own row of ", in_words())
    subject = ["indicator_id", "population_group_id", "geography_level", "series", "school_year", "period"]
    return told(hit, "geography_sum", "denominator", pl.col("_said"), allowed, subject)


def _sums() -> list[pl.Expr]:
    sums = [pl.col(name).sum().alias(f"_{name}") for name in COUNTS]
    known = [pl.col(name).is_not_null().all().alias(f"_{name}_known") for name in COUNTS]
    more = [pl.col("exact").all().alias("_all_exact"), pl.col("is_news").any().alias("_news")]
    return [*sums, *known, *more, pl.len().alias("_n")]


def _disagreement(kind: str, complete: pl.Expr, limits: ComparisonRules) -> pl.Expr:
    """`1250 of the denominator, the total is 1000` where sum and whole differ beyond the tolerance, else null."""
    slack = limits[f"{kind}.count_slack"]
    said = []
    for name in COUNTS:
        whole, parts = pl.col(name), pl.col(f"_{name}")
        over = parts > whole * (1 + limits[f"{kind}.over_percent"] / 100) + slack
        short = (
            (parts < whole * (1 - limits[f"{kind}.under_percent"] / 100) - slack) & complete & pl.col(f"_{name}_known")
        )
        said.append(pl.when(over | short).then(text_of(parts, f" in the {name}, the total is ", whole)))
    return pl.coalesce(said)


def _listed_places(cells: pl.DataFrame, reference: Reference) -> pl.DataFrame:
    """How many places of each level the network lists for a community in a school year."""
    keys = ["community_id", "geography_level", "school_year"]
    places = reference.geographies.select(
        "community_id",
        "geography_level",
        "geography_id",
        _from=pl.col("valid_from").cast(pl.Int32, strict=False).fill_null(0),
        _to=pl.col("valid_to").cast(pl.Int32, strict=False).fill_null(9999),
    )
    asked = cells.select(keys).unique(maintain_order=True)
    valid = asked.join(places, on=keys[:2]).filter(pl.col("school_year").is_between("_from", "_to"))
    return valid.group_by(keys).agg(pl.col("geography_id").n_unique().alias("_listed"))


@dataclass(frozen=True)
class Suspected:
    """Issues of suspected fractions, and the values they speak of (value_no)."""

    issues: pl.DataFrame
    values: pl.DataFrame


def fractions(values: pl.DataFrame, limits: ComparisonRules) -> Suspected:
    """fraction_suspected: percentages of at most 1 beside much larger ones of the same file and indicator.

    Beside them means in the file, or where it holds none, in what the community had submitted of the indicator before.
    Rows with both counts are left out: their rate was made from the counts; and so is a value that is a whole number of
    students in percent of its denominator. Zero is zero in either unit.
    """
    printed = values.filter(
        (pl.col("unit") == "percent")
        & (pl.col("value_status") == "reported")
        & (pl.col("numerator").is_null() | pl.col("denominator").is_null())
    )
    small = pl.col("value").is_between(0, limits["fraction.largest"], closed="right")
    own = ["community_id", "reporting_year", "indicator_id", "source_file"]
    larger = printed.filter(~small & (pl.col("value") > 0))
    beside = larger.group_by(own).agg(pl.col("value").median().alias("_middle"), pl.len().alias("_others"))
    students = pl.col("value") * pl.col("denominator") / 100
    rounding = limits["fraction.rounding"] * pl.col("denominator") / 100
    whole = (students.round(0) >= 1) & ((students - students.round(0)).abs() <= rounding) & (rounding < WHOLE_ENOUGH)
    suspects = printed.filter(small & pl.col("is_news") & ~whole.fill_null(False)).join(
        beside, on=own, how="left", maintain_order="left"
    )
    before = _known_before(suspects, values, limits)
    joined = suspects.join(before, on="value_no", how="left", maintain_order="left")
    enough = pl.col("_others") >= limits["fraction.min_others"]
    middle = pl.when(enough).then(pl.col("_middle")).otherwise(pl.col("_before"))
    hit = joined.with_columns(_middle=middle).filter(pl.col("_middle") >= limits["fraction.ratio"] * pl.col("value"))
    found = text_of(pl.col("value").round(4), " in ", pl.col("school_year"), " for ", pl.col("indicator_id"))
    allowed = text_of("values in percent, like the others around ", shown("_middle"))
    subject = ["indicator_id", "population_group_id", "geography_id", "series", "school_year", "period"]
    return Suspected(told(hit, "fraction_suspected", "value", found, allowed, subject), hit.select("value_no"))


def _known_before(suspects: pl.DataFrame, values: pl.DataFrame, limits: ComparisonRules) -> pl.DataFrame:
    """The middle of the larger values that the community had submitted of the indicator in earlier reporting years."""
    earlier = values.filter(pl.col("exact") & (pl.col("value") > limits["fraction.largest"])).select(
        "community_id", "indicator_id", pl.col("reporting_year").alias("_then"), pl.col("value").alias("_value")
    )
    asked = suspects.select("value_no", "community_id", "indicator_id", "reporting_year")
    joined = asked.join(earlier, on=["community_id", "indicator_id"]).filter(pl.col("_then") < pl.col("reporting_year"))
    return joined.group_by("value_no").agg(pl.col("_value").median().alias("_before"))
