"""What is computed from values: trends, gaps, outcomes, network figures, targets. A new column is one line here.

Belongs here: the columns of these tables, in their fixed order.
Does not: compute them (analysis/figures), or columns that several tables share (shared).
"""

from __future__ import annotations

from dagster_project.lib.analysis.tables.declaring import (
    BIG,
    DATE,
    FLAG,
    NUMBER,
    TEXT,
    TEXTS,
    WHOLE,
    Column,
    TableSpec,
    promised,
)
from dagster_project.lib.analysis.tables.shared import (
    CELL,
    CELL_KEY,
    COMMUNITY,
    FIRST_YEAR,
    GROUP,
    INDICATOR,
    LAST_YEAR,
    N_YEARS,
    OUTCOME,
    REPORTING_YEAR,
    RULESET_VERSION,
)

VALUE_NAMES = ("community_name", "state", "outcome_name", "indicator_name", "unit", "direction")
"""What a chart of values needs beside their ids."""

FCT_TREND = TableSpec(
    "fct_trend",
    "Trends: the slope of every series of values, as known in every reporting year. One row per "
    "community, indicator, group, place and reporting year, for every key with any value known then.",
    (
        *CELL,
        OUTCOME,
        Column("series", TEXT, "Label of what was measured; the latest segment lies within it."),
        FIRST_YEAR,
        LAST_YEAR,
        N_YEARS,
        promised(
            "slope", NUMBER, "Least-squares slope in units per year, not turned by direction; null when undetermined."
        ),
        promised("intercept", NUMBER, "Fitted value at last_year."),
        promised("slope_stderr", NUMBER, "Standard error of the slope."),
        promised(
            "slope_ci_low", NUMBER, "Lower end of the t-interval of the slope, at the ruleset's trend.confidence."
        ),
        promised(
            "slope_ci_high", NUMBER, "Upper end of the t-interval of the slope, at the ruleset's trend.confidence."
        ),
        promised("r_squared", NUMBER, "Share of variance explained; null where values are constant."),
        promised("adjusted_slope", NUMBER, "Slope times direction: positive means better."),
        promised(
            "trend_status",
            TEXT,
            "improving, maintained, declining or undetermined; null for indicators without direction.",
            words="trend_status",
        ),
        promised("reason", TEXT, "Why it is undetermined; null otherwise.", words="trend_reason"),
        promised("slope_weighted", NUMBER, "Slope weighted by denominators; shown beside, never deciding."),
        promised("slope_theil_sen", NUMBER, "Median of the pairwise slopes; shown beside, never deciding."),
        promised(
            "slope_binomial_low", NUMBER, "Slope less the ruleset's trend.binomial_z binomial standard deviations."
        ),
        promised(
            "slope_binomial_high", NUMBER, "Slope plus the ruleset's trend.binomial_z binomial standard deviations."
        ),
        promised(
            "prob_slope_positive", NUMBER, "Probability that the adjusted slope is positive under binomial noise."
        ),
        promised(
            "robustness",
            TEXT,
            "robust if the status stays the same with each single year left out, else fragile; undetermined "
            "with fewer than trend.robust_min_points points.",
            words="robustness",
        ),
        RULESET_VERSION,
    ),
    CELL_KEY,
    current_names=(*VALUE_NAMES, "dimension", "group_label", "school_year_date"),
)

FCT_TREND_POINT = TableSpec(
    "fct_trend_point",
    "Every point that a trend looked at, used or not, with the row of the file it came from. One row "
    "per trend, series and school year.",
    (
        *CELL,
        OUTCOME,
        promised("school_year", WHOLE, "Calendar year in which the school year ends.", refers_to="dim_school_year"),
        promised("series", TEXT, "Label of what was measured."),
        promised("value", NUMBER, "The value in the indicator's unit; rates in percent."),
        promised("numerator", BIG, "Count above the line."),
        promised("denominator", BIG, "Count below the line."),
        promised("used", FLAG, "Whether a slope was computed from the point."),
        promised("left_out_reason", TEXT, "Why it was not; null when used.", words="left_out_reason"),
        promised("submission_id", TEXT, "Submission that the row came with.", refers_to="dim_submission"),
        promised("source_file", TEXT, "File that the row stands in."),
        promised("source_sheet", TEXT, "Sheet of the workbook."),
        promised("source_row", WHOLE, "Row of the file."),
        Column("value_status", TEXT, "Status of the value.", words="value_status"),
        RULESET_VERSION,
    ),
    (*CELL_KEY, "series", "school_year"),
    # Most points are to a reporting year what they were to the one before.
    stored_as="trend_point_span",
)

FCT_GAP = TableSpec(
    "fct_gap",
    "Gaps: each group against the reference group of its dimension, as known in every reporting year."
    " One row per community, indicator, group other than the reference, place and reporting year; "
    "undetermined where the reference has no data.",
    (
        *CELL,
        OUTCOME,
        promised(
            "reference_group_id",
            TEXT,
            "Group that it is compared with.",
            refers_to="dim_population_group.population_group_id",
        ),
        FIRST_YEAR,
        LAST_YEAR,
        N_YEARS,
        promised("first_gap", NUMBER, "Gap in the first year of the window; positive means the group is behind."),
        promised("last_gap", NUMBER, "Gap in the last year of the window."),
        promised("group_slope", NUMBER, "Adjusted slope of the group over the common years."),
        promised("reference_slope", NUMBER, "Adjusted slope of the reference over the common years."),
        promised("slope_difference", NUMBER, "group_slope less reference_slope."),
        promised(
            "gap_status",
            TEXT,
            "undetermined, no_gap_at_baseline, reversed, eliminated, narrowed, narrowed_by_decline, unchanged"
            " or widened.",
            words="gap_status",
        ),
        promised("reference_declined", FLAG, "Whether the gap narrowed while the reference fell."),
        promised("reason", TEXT, "Why the gap is undetermined; null otherwise.", words="trend_reason"),
        Column("standing", TEXT, "burdened, or other.", words="group_standing"),
        Column("dimension", TEXT, "Dimension of both groups."),
        Column("series", TEXT, "Label of what was measured for both groups."),
        Column("fitted_last_gap", NUMBER, "Fitted gap at last_year."),
        RULESET_VERSION,
    ),
    CELL_KEY,
    current_names=(*VALUE_NAMES, "group_label", "school_year_date"),
)

FCT_GAP_YEAR = TableSpec(
    "fct_gap_year",
    "Gaps year by year: both values and how far the group is behind, in every school year in which both are valid, as"
    " known in every reporting year. One row per community, indicator, group other than the reference, place, reporting"
    " year and school year.",
    (
        *CELL,
        promised("school_year", WHOLE, "Calendar year in which the school year ends.", refers_to="dim_school_year"),
        OUTCOME,
        promised(
            "reference_group_id",
            TEXT,
            "Group that it is compared with.",
            refers_to="dim_population_group.population_group_id",
        ),
        promised("series", TEXT, "Label of what was measured; the gap's own where that year has several."),
        promised("group_value", NUMBER, "Value of the group in the indicator's unit."),
        promised("reference_value", NUMBER, "Value of the reference group."),
        promised(
            "gap",
            NUMBER,
            "How far the group is behind; negative where it is ahead, null for indicators without direction.",
        ),
        promised("used", FLAG, "Whether the slopes of fct_gap were computed from the year."),
        RULESET_VERSION,
    ),
    (*CELL_KEY, "school_year"),
)

FCT_OUTCOME_STATUS = TableSpec(
    "fct_outcome_status",
    "Outcomes: where each of the seven stands for a community, as known in every reporting year. One "
    "row per community, outcome and reporting year from the community's first submission on.",
    (
        COMMUNITY,
        OUTCOME.as_promised(),
        REPORTING_YEAR,
        promised(
            "trend_status", TEXT, "improving, maintained, declining, mixed or undetermined.", words="outcome_trend"
        ),
        promised(
            "gap_reduced",
            TEXT,
            "met, not_met or undetermined: whether gaps of the burdened groups were reduced.",
            words="gap_verdict",
        ),
        promised(
            "deciding_indicator_id",
            TEXT,
            "Primary core indicator that decided; null where a majority did.",
            refers_to="dim_indicator.indicator_id",
        ),
        promised("reason", TEXT, "Why it is undetermined; null otherwise.", words="outcome_reason"),
        Column("gap_reason", TEXT, "Why the gap verdict is undetermined.", words="outcome_gap_reason"),
        Column("trend_any", TEXT, "Trend if any core indicator sufficed.", words="outcome_trend"),
        Column("trend_all", TEXT, "Trend if all core indicators had to agree.", words="outcome_trend"),
        Column("gap_any", TEXT, "Gap verdict if any core indicator sufficed.", words="gap_verdict"),
        Column("gap_all", TEXT, "Gap verdict if all had to agree.", words="gap_verdict"),
        Column("widened_groups", TEXT, "Groups whose gap widened."),
        Column("n_core_indicators", WHOLE, "Number of core indicators of the outcome."),
        Column("trend_by_indicator", TEXT, "Trend status of each core indicator as JSON."),
        Column("gap_by_indicator", TEXT, "Gap verdict of each core indicator as JSON."),
        RULESET_VERSION,
    ),
    ("community_id", "outcome_id", "reporting_year"),
    current_names=("community_name", "state", "outcome_name"),
)

FCT_NETWORK_TREND = TableSpec(
    "fct_network_trend",
    "Trends over the whole network by indicator and group. One row per indicator, group and reporting year.",
    (
        INDICATOR,
        GROUP,
        REPORTING_YEAR,
        OUTCOME,
        promised("n_communities", WHOLE, "Communities with a row of their own."),
        promised("n_improving", WHOLE, "Of them improving."),
        promised("n_maintained", WHOLE, "Of them maintained."),
        promised("n_declining", WHOLE, "Of them declining."),
        promised("n_undetermined", WHOLE, "Of them undetermined."),
        promised("slope_median", NUMBER, "Median of the raw slopes of determined trends."),
        promised("slope_q1", NUMBER, "Lower quartile of these slopes."),
        promised("slope_q3", NUMBER, "Upper quartile of these slopes."),
        promised("pooled_slope", NUMBER, "Slope of the pooled rate over a constant panel; poolable indicators only."),
        promised(
            "fixed_effects_slope",
            NUMBER,
            "Within-unit centred slope over the window, units community and series; a changing panel cannot move it.",
        ),
        Column("window_first_year", WHOLE, "First school year of the common window."),
        Column("window_last_year", WHOLE, "Last school year of the common window."),
        Column("window_n_years", WHOLE, "School years in the common window."),
        Column(
            "panel_size",
            WHOLE,
            "Communities with counts in every year of the window; a district of several of them counts once.",
        ),
        Column("pooled_rate_last", NUMBER, "Pooled rate in the last year of the window."),
        Column("fixed_effects_units", WHOLE, "Number of units, community by series."),
        promised(
            "communities_entered",
            TEXTS,
            "Member communities with a row that had none, or were no members, the reporting year before, in order; "
            "empty where there is none.",
        ),
        promised(
            "communities_left",
            TEXTS,
            "Communities of the reporting year before that have no row or are no members any more, in order; empty "
            "where there is none.",
        ),
        Column("panel_entered", TEXTS, "Communities that entered the panel; null where there is no panel."),
        Column("panel_left", TEXTS, "Communities that left the panel; null where there is no panel."),
        RULESET_VERSION,
    ),
    ("indicator_id", "population_group_id", "reporting_year"),
)

FCT_NETWORK_OUTCOME = TableSpec(
    "fct_network_outcome",
    "Outcomes over the whole network. One row per outcome and reporting year.",
    (
        OUTCOME.as_promised(),
        REPORTING_YEAR,
        Column("n_communities", WHOLE, "Communities with a row for the outcome."),
        Column("n_improving", WHOLE, "Of them improving."),
        Column("n_maintained", WHOLE, "Of them maintained."),
        Column("n_declining", WHOLE, "Of them declining."),
        Column("n_mixed", WHOLE, "Of them mixed."),
        Column("n_undetermined", WHOLE, "Of them undetermined."),
        Column("n_gap_met", WHOLE, "Communities whose gap verdict is met."),
        Column("n_gap_not_met", WHOLE, "Communities whose gap verdict is not met."),
        Column("n_gap_undetermined", WHOLE, "Communities whose gap verdict is undetermined."),
        Column("share_improving", NUMBER, "Share improving."),
        Column("share_gap_reduced", NUMBER, "Share with reduced gaps."),
        RULESET_VERSION,
    ),
    ("outcome_id", "reporting_year"),
)

FCT_TARGET_PROGRESS = TableSpec(
    "fct_target_progress",
    "Targets against the latest value and the fitted slope, as known in every reporting year. One row"
    " per target and reporting year from the one that set it.",
    (
        *CELL,
        promised("deadline", DATE, "Day by which the target is to be reached."),
        promised("horizon", TEXT, "short or long.", words="target_horizon"),
        OUTCOME,
        promised("target_value", NUMBER, "Value to reach."),
        promised("set_in_reporting_year", WHOLE, "Reporting year whose submission set it."),
        promised(
            "status",
            TEXT,
            "superseded, met, met_late, missed, on_track, off_track or undetermined.",
            words="target_status",
        ),
        promised("is_in_force", FLAG, "Whether it is the target in force of its indicator, group and horizon."),
        promised("baseline_value", NUMBER, "Value that progress is counted from."),
        promised("baseline_year", WHOLE, "School year of the baseline."),
        promised("latest_value", NUMBER, "Latest valid value."),
        promised("latest_year", WHOLE, "School year of the latest valid value."),
        promised("fitted_slope", NUMBER, "Fitted slope of the trend."),
        promised("required_slope", NUMBER, "Slope needed from the latest value on; null where no year is left."),
        promised("progress_share", NUMBER, "Share of the way from baseline to target; null where these are equal."),
        Column(
            "reason",
            TEXT,
            "Why nothing can be said; null otherwise.",
            words="outcome_reason",
            without=("no_core_indicator", "no_determined_indicator"),
        ),
        RULESET_VERSION,
    ),
    (*CELL_KEY, "deadline", "horizon"),
)

FCT_FALSE_POSITIVE = TableSpec(
    "fct_false_positive",
    "What the literal rules would say of a network in which nothing changes. One row per basis and measure.",
    (
        Column("basis", TEXT, "stylised (invented communities) or own_network.", words="simulation_basis"),
        Column("measure", TEXT, "What the rules would say.", words="simulated_finding"),
        Column("rate", NUMBER, "Share of trials in which the rules said so."),
        Column("simulation_stderr", NUMBER, "Standard error of the simulation."),
        Column("n_trials", BIG, "Number of trials."),
        Column("seed", BIG, "Seed of the random numbers, a parameter of the ruleset."),
        RULESET_VERSION,
    ),
    ("basis", "measure"),
)
