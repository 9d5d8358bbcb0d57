"""Values and groups beside those of the years before, as known when each was submitted.

Belongs here: year-over-year changes of rates and counts, groups that appear or vanish.
Does not: sums within one submission (within_submission.py), values that stand apart by pooled judgement (outliers.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from dagster_project.lib.base.ruleset import ComparisonRules
from dagster_project.lib.intake.comparing.compared_values import (
    POINT,
    SUBJECT,
    chance_points,
    in_words,
    known_numbers,
    no_issues,
    shown,
    text_of,
    told,
)
from dagster_project.lib.intake.comparing.shared_causes import without_shared_changes, without_shared_groups

TOTAL = [name for name in POINT if name != "population_group_id"]
PLACE_OF_GROUPS = ["community_id", "indicator_id", "geography_id", "geography_level"]
GROUP = [*PLACE_OF_GROUPS, "dimension", "group_code"]


@dataclass(frozen=True)
class Changes:
    """Issues of changed values, and the rates they speak of (value_no)."""

    issues: pl.DataFrame
    values: pl.DataFrame


def changes_over_years(values: pl.DataFrame, limits: ComparisonRules, told_already: pl.DataFrame) -> Changes:
    """year_over_year_change and count_change for annual values that are new or changed in their submission.

    A rate: |change| > max(5 points, 3 spreads of the series' own earlier values, what chance alone explains: `chance.z`
    binomial standard errors of the difference). Chance stands beside the 5 points at every n where
    `chance.at_every_n` says so, else only with small denominators and with too few earlier values for a spread; where
    no n is known the points are `year_over_year.points_without_n`. A count: more than 20 % and more than chance
    (Poisson, `chance.count_z`) explains. Where the total changed, a group that changed with it is counted in the
    total's issue: one cause, one question; and so is a change that most folders share, which is the network's question.
    A value that returns to what it was before one that was asked about is not asked about where
    `questions.one_per_cell` says so. `told_already` (value_no) are rates with a question about their unit.
    """
    pairs = beside_earlier(values, int(limits["year_over_year.max_gap_years"]))
    rates = _compared_rates(pairs.join(told_already, on="value_no", how="anti", maintain_order="left"), limits)
    counts = _compared_counts(pairs, limits)
    odd_rates, odd_counts = _unusual_rates(rates, values, limits), _beyond(counts, limits)
    if limits["questions.one_per_cell"]:
        odd_rates = _without_returns(odd_rates, "before", limits)
        odd_counts = _without_returns(odd_counts, "then_n", limits)
    own_rates = without_shared_changes(odd_rates, rates, "year_over_year_change", limits)
    own_counts = without_shared_changes(odd_counts, counts, "count_change", limits)
    asked = [_tell_rates(own_rates.own), *_tell_counts(own_counts.own)]
    issues = pl.concat([*asked, own_rates.issues, own_counts.issues])
    return Changes(issues, odd_rates.select("value_no"))


def beside_earlier(values: pl.DataFrame, max_gap: int) -> pl.DataFrame:
    """Each new exact annual value beside the one of the nearest earlier school year, as known in its reporting year.

    Adds before_year, before_no (its value_no), before, before_n; values without an earlier one within `max_gap` years
    are left out.
    """
    exact = known_numbers(values)
    parts = []
    for gap in range(1, max_gap + 1):
        earlier = exact.select(
            "series_no",
            (pl.col("school_year") + gap).alias("school_year"),
            pl.col("school_year").alias("before_year"),
            pl.col("value_no").alias("before_no"),
            pl.col("value").alias("before"),
            pl.col("denominator").alias("before_n"),
            pl.col("reporting_year").alias("_from"),
            pl.col("known_to").alias("_to"),
        )
        known = pl.col("reporting_year").is_between("_from", "_to")
        parts.append(exact.join(earlier, on=["series_no", "school_year"]).filter(known))
    nearest = pl.concat(parts).sort("value_no", "before_year")
    return nearest.unique("value_no", keep="last", maintain_order=True).drop("_from", "_to")


def _compared_rates(pairs: pl.DataFrame, limits: ComparisonRules) -> pl.DataFrame:
    """Pairs of rates with their change and the tolerance that holds for all of them."""
    percent = pl.col("unit") == "percent"
    counted = pl.col("denominator").is_not_null() & pl.col("before_n").is_not_null()
    floor = (
        pl.when(percent & counted)
        .then(limits["year_over_year.points"])
        .when(percent)
        .then(limits["year_over_year.points_without_n"])
        .otherwise(pl.col("before").abs() * limits["year_over_year.relative_percent"] / 100)
    )
    return pairs.filter(pl.col("unit") != "count").with_columns(
        now=pl.col("value"), change=pl.col("value") - pl.col("before"), tolerance=floor, scale=pl.lit(1.0)
    )


def _beyond(changes: pl.DataFrame, limits: ComparisonRules) -> pl.DataFrame:
    return changes.filter(pl.col("change").abs() > pl.col("tolerance") + limits.epsilon)


def _without_returns(unusual: pl.DataFrame, before: str, limits: ComparisonRules) -> pl.DataFrame:
    """Leaves out changes from a value that was asked about back to what stood before it."""
    asked = unusual.select(pl.col("value_no").alias("before_no"), pl.col(before).alias("_usual"))
    joined = unusual.join(asked, on="before_no", how="left", maintain_order="left")
    back = (pl.col("now") - pl.col("_usual")).abs() <= pl.col("tolerance") + limits.epsilon
    return joined.filter(~back.fill_null(False)).drop("_usual")


def _unusual_rates(changed: pl.DataFrame, values: pl.DataFrame, limits: ComparisonRules) -> pl.DataFrame:
    percent = pl.col("unit") == "percent"
    judged = _with_spread(_beyond(changed, limits), values)
    known = pl.col("n_history") >= limits["year_over_year.min_history"]
    spread = pl.when(known).then(limits["year_over_year.spreads"] * pl.col("spread"))
    few = pl.min_horizontal("denominator", "before_n") < limits["chance.small_n"]
    always = pl.lit(limits["chance.at_every_n"] > 0)
    chance = pl.when(percent & (always | ~known.fill_null(False) | few)).then(
        limits["chance.z"] * chance_points("value", "denominator", "before", "before_n")
    )
    return _beyond(judged.with_columns(tolerance=pl.max_horizontal("tolerance", spread, chance)), limits)


def _with_spread(pairs: pl.DataFrame, values: pl.DataFrame) -> pl.DataFrame:
    """Adds spread and n_history of the series' values of earlier school years as known in the reporting year."""
    history = known_numbers(values).select(
        "series_no",
        pl.col("school_year").alias("_year"),
        pl.col("value").alias("_value"),
        pl.col("reporting_year").alias("_from"),
        pl.col("known_to").alias("_to"),
    )
    spread = (
        pairs.select("value_no", "series_no", "school_year", "reporting_year")
        .join(history, on="series_no")
        .filter((pl.col("_year") < pl.col("school_year")) & pl.col("reporting_year").is_between("_from", "_to"))
        .group_by("value_no")
        .agg(pl.col("_value").std().alias("spread"), pl.len().alias("n_history"))
    )
    return pairs.join(spread, on="value_no", how="left", maintain_order="left")


def _compared_counts(pairs: pl.DataFrame, limits: ComparisonRules) -> pl.DataFrame:
    """Pairs of denominators of rates, and of values of indicators that are counts themselves, with their tolerance."""
    count = pl.col("unit") == "count"
    sizes = pairs.with_columns(
        now_n=pl.when(count).then(pl.col("value")).otherwise(pl.col("denominator").cast(pl.Float64)),
        then_n=pl.when(count).then(pl.col("before")).otherwise(pl.col("before_n").cast(pl.Float64)),
    ).filter((pl.col("now_n") > 0) | (pl.col("then_n") > 0))
    chance = limits["chance.count_z"] * (pl.col("now_n") + pl.col("then_n")).sqrt()
    share = pl.col("then_n") * limits["count_change.percent"] / 100
    return sizes.with_columns(
        now=pl.col("now_n"),
        change=pl.col("now_n") - pl.col("then_n"),
        tolerance=pl.max_horizontal(share, chance),
        scale=pl.col("then_n"),
    )


def _tell_rates(unusual: pl.DataFrame) -> pl.DataFrame:
    found = text_of(
        shown("value"), " in ", pl.col("school_year"), " after ", shown("before"), " in ", pl.col("before_year")
    )
    points = pl.when(pl.col("unit") == "percent").then(pl.lit(" percentage points")).otherwise(pl.lit(""))
    allowed = text_of("a change of at most ", shown("tolerance"), points, " for ", in_words())
    return _one_cause(unusual, "year_over_year_change", "value", found, allowed)


def _tell_counts(unusual: pl.DataFrame) -> list[pl.DataFrame]:
    now, before = (pl.col(name).round(0).cast(pl.Int64) for name in ("now_n", "then_n"))
    found = text_of(now, " in ", pl.col("school_year"), " after ", before, " in ", pl.col("before_year"))
    counted = pl.when(pl.col("unit") == "count").then(pl.lit("")).otherwise(pl.lit(" in the denominator"))
    allowed = text_of("a change of at most ", pl.col("tolerance").floor().cast(pl.Int64), counted, " for ", in_words())
    values = unusual.filter(pl.col("unit") == "count")
    sizes = unusual.filter((pl.col("unit") != "count").fill_null(True))
    return [
        _one_cause(sizes, "count_change", "denominator", found, allowed),
        _one_cause(values, "count_change", "value", found, allowed),
    ]


def _one_cause(unusual: pl.DataFrame, rule_id: str, column: str, found: pl.Expr, allowed: pl.Expr) -> pl.DataFrame:
    """Issues of the values; a group that moved with its total repeats the total's issue, so that it is counted there.

    `unusual` has change, tolerance and scale: rates move by the same points, counts in proportion to their size.
    """
    if not unusual.height:
        return no_issues()
    keys = [*TOTAL, "reporting_year"]
    totals = unusual.filter(pl.col("population_group_id") == "all")
    per_scale = totals.select(*keys, (pl.col("change") / pl.col("scale")).alias("_moved"))
    joined = unusual.join(per_scale, on=keys, how="left", maintain_order="left")
    unexplained = (pl.col("change") - pl.col("_moved") * pl.col("scale")).abs() > pl.col("tolerance")
    own = (pl.col("population_group_id") == "all") | unexplained.fill_null(True)
    with_total = joined.filter(~own).select(keys).join(totals, on=keys, maintain_order="left")
    return pl.concat(told(part, rule_id, column, found, allowed, SUBJECT) for part in (joined.filter(own), with_total))


def groups_over_years(values: pl.DataFrame, refused: pl.DataFrame, limits: ComparisonRules) -> pl.DataFrame:
    """group_appears and group_vanishes: groups with annual values beside those of the nearest earlier school year.

    A group appears that has a number and was in no earlier year, beside others of its dimension that were; it vanishes
    when it had a number in the year before and has no row now, while its indicator has others. Groups known to be
    small come and go and are not asked about; nor are groups with a row among the `refused` ones (columns of
    compared_values), whose refusal says all. What most folders share is one question to the network.
    """
    annual = values.filter((pl.col("period") == "annual") & pl.col("dimension").is_not_null())
    few = (pl.col("denominator") < limits["chance.small_n"]).fill_null(False)
    large = pl.col("exact") & ~few
    present = annual.group_by(*GROUP, "school_year", maintain_order=True).agg(
        pl.col("reporting_year").min().alias("since"),
        pl.col("reporting_year").filter(large).min().alias("large_since"),
        pl.col("value").filter(large).last().alias("value"),
    )
    cells = _changed_cells(annual, int(limits["year_over_year.max_gap_years"]))
    if not limits["questions.refused_rows_are_present"]:
        refused = refused.clear()
    new = annual.filter(large & pl.col("is_news"))
    return pl.concat([*_appeared(new, cells, present, limits), *_vanished(cells, present, refused, limits)])


def _changed_cells(annual: pl.DataFrame, max_gap: int) -> pl.DataFrame:
    """Indicator and place of each submission with something new, and the nearest earlier school year known then."""
    own = annual.filter("is_news").group_by(*PLACE_OF_GROUPS, "school_year", "reporting_year", maintain_order=True)
    cells = own.agg(pl.col("submission_id", "spot", "indicator_name", "state").first())
    known = annual.group_by(*PLACE_OF_GROUPS, "school_year", maintain_order=True).agg(
        pl.col("reporting_year").min().alias("since")
    )
    earlier = known.rename({"school_year": "before_year"})
    near = pl.col("before_year").is_between(pl.col("school_year") - max_gap, pl.col("school_year") - 1)
    joined = cells.join(earlier, on=PLACE_OF_GROUPS).filter(near & (pl.col("since") <= pl.col("reporting_year")))
    keys = [*PLACE_OF_GROUPS, "school_year", "reporting_year"]
    return joined.sort(*keys, "before_year").unique(keys, keep="last", maintain_order=True).drop("since")


def _appeared(
    new: pl.DataFrame, cells: pl.DataFrame, present: pl.DataFrame, limits: ComparisonRules
) -> list[pl.DataFrame]:
    keys = [*PLACE_OF_GROUPS, "school_year", "reporting_year"]
    groups = new.filter(pl.col("dimension") != "all").join(cells.select(*keys, "before_year"), on=keys)
    first = (
        present.group_by(GROUP).agg(pl.struct("school_year", "since").alias("_seen")).explode("_seen").unnest("_seen")
    )
    seen = groups.select(*GROUP, "school_year", "reporting_year").join(first.rename({"school_year": "_year"}), on=GROUP)
    seen = seen.filter((pl.col("_year") < pl.col("school_year")) & (pl.col("since") <= pl.col("reporting_year")))
    fresh = groups.join(seen, on=[*GROUP, "school_year", "reporting_year"], how="anti")
    siblings = present.filter(pl.col("dimension") != "all").select(
        *PLACE_OF_GROUPS, "dimension", pl.col("school_year").alias("before_year"), "since"
    )
    known = fresh.join(siblings, on=[*PLACE_OF_GROUPS, "dimension", "before_year"]).filter(
        pl.col("since") <= pl.col("reporting_year")
    )
    fresh = fresh.join(known, on=[*GROUP, "school_year", "reporting_year"], how="semi", maintain_order="left")
    could = cells.join(siblings, on=[*PLACE_OF_GROUPS, "before_year"]).filter(
        pl.col("since") <= pl.col("reporting_year")
    )
    shared = without_shared_groups(fresh, could, ["group_code"], "group_appears", limits)
    return [_tell_groups(shared.own, "group_appears", "group", ": no row in ", ", a value in "), shared.issues]


def _vanished(
    cells: pl.DataFrame, present: pl.DataFrame, refused: pl.DataFrame, limits: ComparisonRules
) -> list[pl.DataFrame]:
    before = present.filter((pl.col("dimension") != "all") & pl.col("large_since").is_not_null())
    before = before.drop("since").rename({"school_year": "before_year"})
    groups = cells.join(before, on=[*PLACE_OF_GROUPS, "before_year"]).filter(
        pl.col("large_since") <= pl.col("reporting_year")
    )
    now = present.select(*GROUP, "school_year", "since")
    still = groups.join(now, on=[*GROUP, "school_year"]).filter(pl.col("since") <= pl.col("reporting_year"))
    keys = [*GROUP, "school_year", "reporting_year"]
    gone = groups.join(still, on=keys, how="anti", maintain_order="left")
    gone = gone.join(refused.select(keys).unique(), on=keys, how="anti", maintain_order="left")
    # A breakdown is dropped where none of its groups has a row; else single groups are.
    kept = now.filter(pl.col("dimension") != "all").select(*PLACE_OF_GROUPS, "dimension", "school_year").unique()
    dropped = gone.join(kept, on=[*PLACE_OF_GROUPS, "dimension", "school_year"], how="anti", maintain_order="left")
    whole = without_shared_groups(dropped, groups, [], "group_vanishes", limits)
    told_of = dropped.join(whole.own, on=[*keys, "before_year"], how="anti")
    single = gone.join(told_of, on=[*keys, "before_year"], how="anti", maintain_order="left")
    shared = without_shared_groups(single, groups, ["group_code"], "group_vanishes", limits)
    own = _tell_groups(shared.own, "group_vanishes", None, ": a value in ", ", no row in ")
    return [own, whole.issues, shared.issues]


def _tell_groups(groups: pl.DataFrame, rule_id: str, column: str | None, before: str, now: str) -> pl.DataFrame:
    """One issue for each dimension of an indicator, with its groups that changed; places of a level stand together."""
    if not groups.height:
        return no_issues()
    cause = [
        "community_id",
        "reporting_year",
        "indicator_id",
        "geography_level",
        "dimension",
        "school_year",
        "before_year",
    ]
    names = groups.group_by(cause, maintain_order=True).agg(
        pl.col("group_code").unique().sort().str.join(", ").alias("_groups"),
        pl.col("geography_id").n_unique().alias("_places"),
        pl.col("spot").unique().sort().str.join(", ").alias("_spots"),
    )
    first = groups.sort(*cause, "group_code", "geography_id").unique(cause, keep="first", maintain_order=True)
    issues = first.join(names, on=cause, maintain_order="left")
    at = (
        pl.when(pl.col("geography_level") == "community")
        .then(pl.lit(""))
        .otherwise(text_of(" at ", pl.col("_places"), " places"))
    )
    found = text_of(
        pl.col("dimension"), " ", pl.col("_groups"), at, before, pl.col("before_year"), now, pl.col("school_year")
    )
    allowed = text_of("the groups of ", pl.col("before_year"), " for ", pl.col("indicator_name"))
    subject = ["indicator_id", "dimension", "geography_level", "school_year"]
    return told(issues, rule_id, column, found, allowed, subject)
