"""Outcomes (RULES 5): fct_outcome_status.

Belongs here: a community's selection as known then, the primary or the majority of core indicators, gap verdicts.
Does not: trends and gaps themselves, or what a designation asks of outcomes.
"""

from __future__ import annotations

import polars as pl

from dagster_project.lib.analysis.figures.standing import BURDENED
from dagster_project.lib.analysis.tables import FCT_OUTCOME_STATUS
from dagster_project.lib.analysis.vocabulary import REDUCED, WITHOUT_VERDICT
from dagster_project.lib.base.ruleset import Ruleset

SELECTION_SCHEMA = {
    "community_id": pl.String(),
    "reporting_year": pl.Int32(),
    "indicator": pl.String(),
    "outcome": pl.String(),
    "role": pl.String(),
    "primary": pl.Boolean(),
    "baseline_year": pl.Int32(),
}
CORE = "core"
TOTAL_GROUP = "all"
# Outcomes of this sector are the seven; the others are adjacent.
EDUCATION = "education"
NO_CORE_INDICATOR = "no_core_indicator"
NO_DETERMINED_INDICATOR = "no_determined_indicator"
NO_STATUS = "no_direction"
NO_ELIGIBLE_GROUP = "no_eligible_group"
MET, NOT_MET, UNDETERMINED = "met", "not_met", "undetermined"

_WHERE = ["community_id", "reporting_year"]
_OUTCOME = [*_WHERE, "outcome_id"]
_INDICATOR = [*_WHERE, "indicator_id"]


def compute_outcomes(
    trend: pl.DataFrame,
    gap: pl.DataFrame,
    selection: pl.DataFrame,
    indicators: pl.DataFrame,
    outcomes: pl.DataFrame,
    grid: pl.DataFrame,
    ruleset: Ruleset,
) -> pl.DataFrame:
    """fct_outcome_status: a row for every community and reporting year of `grid` and each of the seven outcomes.

    trend, gap: fct_trend and fct_gap. selection: SELECTION_SCHEMA, all reporting years of register_indicator_selection.
    indicators, outcomes: the dictionary. grid: `standing.community_years`.
    """
    seven = outcomes.filter(pl.col("sector") == EDUCATION).select("outcome_id").sort("outcome_id")
    scaffold = grid.select(_WHERE).join(seven, how="cross")
    core = core_indicators(selection, indicators, grid).join(seven, on="outcome_id", how="semi")
    verdicts = gap_verdicts(gap, ruleset)
    core = (
        core.join(_community_trends(trend), on=_INDICATOR, how="left")
        .join(verdicts, on=_INDICATOR, how="left")
        .with_columns(
            pl.when(pl.col("has_row").is_null()).then(pl.lit("no_data")).otherwise("reason").alias("reason"),
            pl.when(pl.col("has_row").is_null()).then(pl.lit(UNDETERMINED)).otherwise("status").alias("status"),
            pl.col("verdict").fill_null(UNDETERMINED),
            pl.col("n_eligible", "n_reduced").fill_null(0),
        )
        .sort(*_OUTCOME, "indicator_id")
    )
    rolled = _roll_up(core, ruleset)
    frame = scaffold.join(rolled, on=_OUTCOME, how="left").with_columns(
        pl.col("trend_status", "gap_reduced", "trend_any", "trend_all", "gap_any", "gap_all").fill_null(UNDETERMINED),
        pl.when(pl.col("n_core_indicators").is_null())
        .then(pl.lit(NO_CORE_INDICATOR))
        .otherwise(pl.col("reason"))
        .alias("reason"),
        pl.when(pl.col("n_core_indicators").is_null())
        .then(pl.lit(NO_CORE_INDICATOR))
        .otherwise(pl.col("gap_reason"))
        .alias("gap_reason"),
        pl.col("n_core_indicators").fill_null(0),
        pl.lit(ruleset.ruleset_version).alias("ruleset_version"),
    )
    return FCT_OUTCOME_STATUS.conform(frame)


def sound_selection(selection: pl.DataFrame, indicators: pl.DataFrame, outcomes: pl.DataFrame) -> pl.DataFrame:
    """The lines of register_indicator_selection that count, columns and order kept.

    Without those that give an indicator of another sector to one of the seven outcomes, or a core indicator of the
    seven to an adjacent outcome (RULES 5): an indicator counts for the seven or as adjacent, never both.
    """
    seven = outcomes.select("outcome_id", (pl.col("sector") == EDUCATION).alias("is_seven"))
    homes = indicators.join(seven, on="outcome_id", how="left").select(
        indicator="indicator_id", home_is_seven="is_seven", is_core=pl.col("role") == CORE
    )
    given = seven.rename({"outcome_id": "outcome", "is_seven": "given_is_seven"})
    rows = selection.join(homes, on="indicator", how="left", maintain_order="left")
    rows = rows.join(given, on="outcome", how="left", maintain_order="left")
    from_outside = ~pl.col("home_is_seven") & pl.col("given_is_seven")
    to_outside = pl.col("home_is_seven") & pl.col("is_core") & ~pl.col("given_is_seven")
    astray = (from_outside | to_outside).fill_null(False)
    return rows.filter(~astray).select(selection.columns)


def known_selection(selection: pl.DataFrame, grid: pl.DataFrame) -> pl.DataFrame:
    """The selection in force at every reporting year of `grid`: SELECTION_SCHEMA with indicator_id for indicator.

    A state: the whole table of the newest reporting year up to R that has one.
    """
    rows = selection.select(pl.col(name).cast(kind) for name, kind in SELECTION_SCHEMA.items())
    rows = rows.rename({"indicator": "indicator_id", "reporting_year": "known_in"})
    states = grid.select(_WHERE).join(rows.select("community_id", "known_in").unique(), on="community_id", how="left")
    states = states.filter(pl.col("known_in") <= pl.col("reporting_year"))
    states = states.group_by(_WHERE, maintain_order=True).agg(pl.col("known_in").max())
    return states.join(rows, on=["community_id", "known_in"], how="inner", maintain_order="left")


def core_indicators(selection: pl.DataFrame, indicators: pl.DataFrame, grid: pl.DataFrame) -> pl.DataFrame:
    """The core indicators in force: community_id, reporting_year, outcome_id, indicator_id, is_primary.

    The selection is a state: the whole table of the newest reporting year up to R that has one. Without any, the
    dictionary's core indicators that are the primary of their outcome. A selected indicator without an outcome has the
    dictionary's; of several primaries of one outcome the indicator that sorts first is it.
    """
    rows = known_selection(selection, grid)
    states = rows.select(_WHERE).unique()
    dictionary = indicators.select("indicator_id", pl.col("outcome_id").alias("dictionary_outcome"))
    selected = (
        rows.filter(pl.col("role") == CORE)
        .join(dictionary, on="indicator_id", how="left")
        .with_columns(
            pl.coalesce("outcome", "dictionary_outcome").alias("outcome_id"), pl.col("primary").fill_null(False)
        )
        .group_by(*_OUTCOME, "indicator_id")
        .agg(pl.col("primary").any())
    )
    default = indicators.filter((pl.col("role") == CORE) & _truth("is_primary")).select("outcome_id", "indicator_id")
    unselected = grid.select(_WHERE).join(states, on=_WHERE, how="anti").join(default, how="cross")
    both = pl.concat(
        [
            selected.select(*_OUTCOME, "indicator_id", pl.col("primary").alias("marked")),
            unselected.select(*_OUTCOME, "indicator_id", pl.lit(True).alias("marked")),
        ]
    ).sort(*_OUTCOME, "indicator_id")
    first_marked = pl.col("indicator_id").filter(pl.col("marked")).first().over(_OUTCOME)
    is_primary = (pl.col("indicator_id") == first_marked).fill_null(False)
    return both.select(*_OUTCOME, "indicator_id", is_primary.alias("is_primary"))


def gap_verdicts(gap: pl.DataFrame, ruleset: Ruleset) -> pl.DataFrame:
    """Verdict on the gaps of every community-level indicator with an eligible or widened burdened group.

    community_id, reporting_year, indicator_id, verdict, n_eligible, n_reduced, widened (list of groups). Only the
    ruleset's deciding dimensions and burdened groups count (RULES 5).
    """
    rows = gap.filter(
        (pl.col("geography_id") == pl.col("community_id"))
        & pl.col("dimension").is_in(ruleset.gap.dimensions)
        & (pl.col("standing") == BURDENED)
    )
    eligible = ~pl.col("gap_status").is_in(WITHOUT_VERDICT)
    reduced = eligible & pl.col("gap_status").is_in(REDUCED)
    counted = (
        rows.sort(*_INDICATOR, "population_group_id")
        .group_by(_INDICATOR, maintain_order=True)
        .agg(
            eligible.sum().cast(pl.Int64).alias("n_eligible"),
            reduced.sum().cast(pl.Int64).alias("n_reduced"),
            pl.col("population_group_id").filter(pl.col("gap_status") == "widened").alias("widened"),
        )
    )
    verdict = _majority(pl.col("n_reduced"), pl.col("n_eligible"), ruleset.gap.majority_share, ruleset.epsilon)
    return counted.with_columns(verdict.alias("verdict"))


def _majority(part: pl.Expr, whole: pl.Expr, share: float, epsilon: float) -> pl.Expr:
    """met if part is more than the share of whole, undetermined if there is nothing to count, else not_met."""
    more = part > share * whole + epsilon
    return pl.when(whole == 0).then(pl.lit(UNDETERMINED)).when(more).then(pl.lit(MET)).otherwise(pl.lit(NOT_MET))


def _community_trends(trend: pl.DataFrame) -> pl.DataFrame:
    """Status and reason of each community's own trend of the total; an indicator without direction has no status."""
    own = (pl.col("geography_id") == pl.col("community_id")) & (pl.col("population_group_id") == TOTAL_GROUP)
    blank = pl.col("trend_status").is_null()
    return trend.filter(own).select(
        *_INDICATOR,
        pl.col("trend_status").fill_null(UNDETERMINED).alias("status"),
        pl.when(blank).then(pl.lit(NO_STATUS)).otherwise(pl.col("reason")).alias("reason"),
        pl.lit(True).alias("has_row"),
    )


def _roll_up(core: pl.DataFrame, ruleset: Ruleset) -> pl.DataFrame:
    """One row an outcome with core indicators: what decides, the statuses, and the roll-ups beside them."""
    counts = {name: (pl.col("status") == name).sum() for name in ("improving", "maintained", "declining")}
    primary = pl.col("is_primary")
    decides = primary | ~pl.col("has_primary")
    rows = (
        core.with_columns(primary.any().over(_OUTCOME).alias("has_primary"))
        .group_by(_OUTCOME, maintain_order=True)
        .agg(
            pl.len().cast(pl.Int64).alias("n_core_indicators"),
            *(count.cast(pl.Int64).alias(f"n_{name}") for name, count in counts.items()),
            (pl.col("verdict") == MET).sum().cast(pl.Int64).alias("n_met"),
            (pl.col("verdict") != UNDETERMINED).sum().cast(pl.Int64).alias("n_verdicts"),
            pl.col("indicator_id").filter(primary).first().alias("deciding_indicator_id"),
            pl.col("status").filter(primary).first().alias("primary_status"),
            pl.col("reason").filter(primary).first().alias("primary_reason"),
            pl.col("verdict").filter(primary).first().alias("primary_verdict"),
            pl.col("n_eligible").filter(decides).sum(),
            pl.col("n_reduced").filter(decides).sum(),
            pl.col("widened").filter(decides).alias("widened"),
            _json("status").alias("trend_by_indicator"),
            _json("verdict").alias("gap_by_indicator"),
        )
    )
    share, epsilon = ruleset.outcome.majority_share, ruleset.epsilon
    has_primary = pl.col("deciding_indicator_id").is_not_null()
    by_majority = _majority(pl.col("n_met"), pl.col("n_verdicts"), share, epsilon)
    rows = rows.with_columns(
        pl.when(has_primary).then("primary_status").otherwise(_majority_status(share, epsilon)).alias("trend_status"),
        pl.when(has_primary).then("primary_verdict").otherwise(by_majority).alias("gap_reduced"),
        *_any_and_all(),
        _widened_text(rows),
    )
    undetermined = pl.col("trend_status") == UNDETERMINED
    return rows.with_columns(
        pl.when(has_primary)
        .then("primary_reason")
        .when(undetermined)
        .then(pl.lit(NO_DETERMINED_INDICATOR))
        .alias("reason"),
        pl.when(pl.col("gap_reduced") == UNDETERMINED).then(pl.lit(NO_ELIGIBLE_GROUP)).alias("gap_reason"),
    )


def _majority_status(share: float, epsilon: float) -> pl.Expr:
    """Status among the core indicators that are not undetermined, where no primary is named."""
    improving, maintained, declining = pl.col("n_improving"), pl.col("n_maintained"), pl.col("n_declining")
    bar = share * (improving + maintained + declining) + epsilon
    return (
        pl.when(improving + maintained + declining == 0)
        .then(pl.lit(UNDETERMINED))
        .when(improving > bar)
        .then(pl.lit("improving"))
        .when(improving + maintained > bar)
        .then(pl.lit("maintained"))
        .when(declining > bar)
        .then(pl.lit("declining"))
        .otherwise(pl.lit("mixed"))
    )


def _any_and_all() -> list[pl.Expr]:
    """Sensitivity: the best determined and the worst status of all core indicators; any and all deciding groups."""
    improving, maintained, declining = (pl.col(f"n_{name}") > 0 for name in ("improving", "maintained", "declining"))
    complete = pl.col("n_improving") + pl.col("n_maintained") + pl.col("n_declining") == pl.col("n_core_indicators")
    best = pl.when(improving).then(pl.lit("improving")).when(maintained).then(pl.lit("maintained"))
    worst = pl.when(declining).then(pl.lit("declining")).when(~complete).then(pl.lit(UNDETERMINED))
    none = pl.col("n_eligible") == 0
    some, every = pl.col("n_reduced") > 0, pl.col("n_reduced") == pl.col("n_eligible")
    return [
        best.when(declining).then(pl.lit("declining")).otherwise(pl.lit(UNDETERMINED)).alias("trend_any"),
        worst.when(maintained).then(pl.lit("maintained")).otherwise(pl.lit("improving")).alias("trend_all"),
        pl.when(none)
        .then(pl.lit(UNDETERMINED))
        .when(some)
        .then(pl.lit(MET))
        .otherwise(pl.lit(NOT_MET))
        .alias("gap_any"),
        pl.when(none)
        .then(pl.lit(UNDETERMINED))
        .when(every)
        .then(pl.lit(MET))
        .otherwise(pl.lit(NOT_MET))
        .alias("gap_all"),
    ]


def _widened_text(rows: pl.DataFrame) -> pl.Series:
    """Groups that widened in the deciding indicators, sorted, each once, separated by commas; null for none."""
    lists = rows["widened"].to_list()
    texts = [",".join(sorted({group for groups in each if groups for group in groups})) or None for each in lists]
    return pl.Series("widened_groups", texts, dtype=pl.String)


def _json(column: str) -> pl.Expr:
    """A JSON object from indicator to a code, indicators sorted; ids and codes need no escaping."""
    pairs = pl.format('"{}":"{}"', pl.col("indicator_id"), pl.col(column))
    return pl.concat_str(pl.lit("{"), pairs.str.join(","), pl.lit("}"))


def _truth(column: str) -> pl.Expr:
    """A boolean column, or its text in a seed."""
    return pl.col(column).cast(pl.String).str.to_lowercase() == "true"
