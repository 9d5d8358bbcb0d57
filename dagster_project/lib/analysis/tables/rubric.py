"""What is judged by the rubric: criteria, benchmarks, gateways, designations. A new column is one line here.

Belongs here: the columns of these tables, in their fixed order.
Does not: judge (analysis/rubric), or columns that several tables share (shared).
"""

from __future__ import annotations

from dagster_project.lib.analysis.tables.declaring import DATE, FLAG, NUMBER, TEXT, WHOLE, Column, TableSpec, promised
from dagster_project.lib.analysis.tables.shared import (
    COMMUNITY,
    CRITERION,
    DESIGNATION,
    GROUP,
    INDICATOR,
    OUTCOME,
    RECORD_STATE,
    REPORTING_YEAR,
    RULESET_ID,
    RULESET_VERSION,
)

STATUS_NOW = Column(
    "status_now",
    TEXT,
    "Status that today's data and rubric would give; equal to status where provisional, null where nothing stands.",
    words="criterion_status",
)


def before_freezing(spec: TableSpec) -> list[str]:
    """The columns that a judged table has before frozen rows stand in it (lib/app/frozen.py)."""
    return [name for name in spec.schema if name != RECORD_STATE.name and not name.endswith("_now")]


FCT_CRITERION_STATUS = TableSpec(
    "fct_criterion_status",
    "Criteria and sub-criteria of the rubric, as known in every reporting year. One row per "
    "community, criterion or sub-criterion and reporting year. Rows of designations say what their "
    "requirements say, also where frozen.",
    (
        COMMUNITY,
        CRITERION,
        REPORTING_YEAR,
        promised(
            "status",
            TEXT,
            "met, not_met or undetermined; null for rows that are definitions or cadences.",
            words="criterion_status",
        ),
        promised("evidence", TEXT, "The evidence in words."),
        Column("own_status", TEXT, "Status of its own part, without sub-criteria.", words="criterion_status"),
        Column("computed_status", TEXT, "What the facts say.", words="criterion_status"),
        Column("attested_status", TEXT, "What the member's claim says after review.", words="criterion_status"),
        Column("decision", TEXT, "The reviewer's decision, where there is one.", words="review_decision"),
        Column(
            "reason",
            TEXT,
            "Why it is not met or undetermined, or that a reviewer decided otherwise; null otherwise.",
            words="criterion_reason",
        ),
        RULESET_VERSION,
        RECORD_STATE,
        STATUS_NOW,
    ),
    ("community_id", "criterion_id", "reporting_year"),
)

FCT_BENCHMARK_STATUS = TableSpec(
    "fct_benchmark_status",
    "Benchmarks: met when all of their criteria are. One row per community, benchmark and reporting year.",
    (
        COMMUNITY,
        Column("gateway", TEXT, "Gateway; its label stands in dim_status, domain gateway."),
        Column("benchmark_no", WHOLE, "Number of the benchmark within its gateway."),
        REPORTING_YEAR,
        Column("status", TEXT, "met, not_met or undetermined.", words="criterion_status"),
        Column("pillar", TEXT, "Pillar of the gateway."),
        Column("benchmark_title", TEXT, "What the benchmark is about."),
        Column("n_criteria", WHOLE, "Number of criteria."),
        Column("n_met", WHOLE, "Of them met."),
        Column("n_not_met", WHOLE, "Of them not met."),
        Column("n_undetermined", WHOLE, "Of them undetermined."),
        RULESET_VERSION,
        RECORD_STATE,
        STATUS_NOW,
    ),
    ("community_id", "gateway", "benchmark_no", "reporting_year"),
)

FCT_GATEWAY_STATUS = TableSpec(
    "fct_gateway_status",
    "Where a community stands on the path of gateways, as known in every reporting year. One row per "
    "community and reporting year.",
    (
        COMMUNITY,
        REPORTING_YEAR,
        promised(
            "operating_in",
            TEXT,
            "First gateway not met, or completed; its label stands in dim_status, domain gateway.",
        ),
        promised("gateways_met", WHOLE, "How many gateways are met, one after the other."),
        Column("gateways_granted", WHOLE, "How many gateways were granted and not revoked."),
        RULESET_VERSION,
        RECORD_STATE,
        Column("operating_in_now", TEXT, "The same by today's data."),
        Column("gateways_met_now", WHOLE, "How many gateways are met by today's data."),
    ),
    ("community_id", "reporting_year"),
    current_names=("community_name", "state"),
)

FCT_GATEWAY_STEP = TableSpec(
    "fct_gateway_step",
    "Each gateway of the path, as known in every reporting year: computed status and granted status side by side. One "
    "row per community, gateway and reporting year.",
    (
        COMMUNITY,
        Column("gateway", TEXT, "Gateway; its label stands in dim_status, domain gateway."),
        REPORTING_YEAR,
        promised("status", TEXT, "Computed status, every earlier gateway included.", words="criterion_status"),
        promised("granted", FLAG, "Whether the gateway was granted and not revoked."),
        Column("n_not_met", WHOLE, "Criteria of the gateway that are not met."),
        Column("n_undetermined", WHOLE, "Criteria of the gateway that are undetermined."),
        Column("gateway_no", WHOLE, "Place of the gateway on the path."),
        RULESET_VERSION,
        RECORD_STATE,
        STATUS_NOW,
    ),
    ("community_id", "gateway", "reporting_year"),
)

FCT_GATEWAY_MISSING = TableSpec(
    "fct_gateway_missing",
    "What is missing to the gateway that a community operates in. One row per community, reporting "
    "year and criterion of the gateway it operates in that is not met.",
    (
        COMMUNITY,
        REPORTING_YEAR,
        Column("gateway", TEXT, "Gateway; its label stands in dim_status, domain gateway."),
        CRITERION,
        Column("parent_id", TEXT, "Criterion that a sub-criterion belongs to."),
        Column("benchmark_no", WHOLE, "Number of the benchmark within its gateway."),
        Column("statement", TEXT, "What is asked, reworded."),
        Column("status", TEXT, "met, not_met or undetermined.", words="criterion_status", without=("met",)),
        Column("reason", TEXT, "Why it is not met.", words="criterion_reason", without=("override",)),
        Column("evidence", TEXT, "The evidence in words."),
        RULESET_VERSION,
    ),
    ("community_id", "reporting_year", "criterion_id"),
)

FCT_DESIGNATION = TableSpec(
    "fct_designation",
    "Designations: eligible is computed, standing is decided; they stand side by side. One row per "
    "community, designation and reporting year.",
    (
        COMMUNITY,
        DESIGNATION,
        REPORTING_YEAR,
        promised("status", TEXT, "Computed: eligible, not_eligible or undetermined.", words="designation_status"),
        promised(
            "standing",
            TEXT,
            "What was decided: none, active, review_due, grace, lapsed, revoked or succeeded.",
            words="designation_standing",
        ),
        promised("decided_on", DATE, "Day of the last decision."),
        promised("next_review_due", DATE, "Day on which the next review is due."),
        promised("record_id", TEXT, "Record that the status can be recomputed from."),
        RULESET_ID,
        RULESET_VERSION,
        RECORD_STATE,
        Column(
            "status_now",
            TEXT,
            "Status that today's data would give; equal to status where provisional, null where nothing "
            "stands any more.",
            words="designation_status",
        ),
        Column("standing_now", TEXT, "Standing that today's decisions would give.", words="designation_standing"),
        Column("record_id_now", TEXT, "Record that today's data would give."),
    ),
    ("community_id", "designation", "reporting_year"),
    current_names=("community_name", "state"),
)

FCT_DESIGNATION_REQUIREMENT = TableSpec(
    "fct_designation_requirement",
    "What each designation requires, and what is there. One row per community, designation, reporting"
    " year and requirement.",
    (
        COMMUNITY,
        DESIGNATION,
        REPORTING_YEAR,
        promised("requirement_id", TEXT, "Requirement of the designation."),
        promised("required", NUMBER, "Figure that is needed; null where the network has set none."),
        promised("actual", NUMBER, "Figure that is there; null where nothing can be said."),
        promised("status", TEXT, "met, not_met or undetermined.", words="criterion_status"),
        Column("n_undetermined", WHOLE, "Of what was looked at, undetermined."),
        Column("n_members", WHOLE, "What was looked at, in number."),
        Column("measure", TEXT, "What is counted."),
        Column("statement", TEXT, "What is required."),
        Column("evidence", TEXT, "The evidence in words."),
        Column("reason", TEXT, "Why it is undetermined; null otherwise.", words="requirement_reason"),
        RULESET_ID,
        RULESET_VERSION,
        RECORD_STATE,
        Column("actual_now", NUMBER, "Figure that today's data would give; equal to actual where provisional."),
        Column(
            "status_now",
            TEXT,
            "Status that today's data would give; equal to status where provisional.",
            words="criterion_status",
        ),
    ),
    ("community_id", "designation", "reporting_year", "requirement_id"),
)

FCT_COMMUNITY_INDICATOR = TableSpec(
    "fct_community_indicator",
    "The community's own selection of indicators, as known in every reporting year. One row per community, indicator "
    "and reporting year; none for a community that has not selected.",
    (
        COMMUNITY,
        INDICATOR,
        REPORTING_YEAR,
        OUTCOME,
        promised("role", TEXT, "core, contributing or adjacent, for the community.", words="indicator_role"),
        promised("is_primary", FLAG, "Whether it is to decide its outcome."),
        promised("baseline_year", WHOLE, "School year of the baseline; null where none was named."),
        promised("is_prioritized", FLAG, "Whether it is put first for action."),
        promised("rationale", TEXT, "Why it was chosen or revised."),
        Column("revised_on", DATE, "When the indicator was last revised."),
        Column("selected_in", WHOLE, "Reporting year of the folder that the selection came with."),
        RULESET_VERSION,
    ),
    ("community_id", "indicator_id", "reporting_year"),
)

FCT_STRATEGY = TableSpec(
    "fct_strategy",
    "What the community does: examples of change, measures of its actions, causes it has found, as known in every "
    "reporting year. One row per community, reporting year, kind and example, measure or factor.",
    (
        COMMUNITY,
        REPORTING_YEAR,
        promised("kind", TEXT, "Kind of the example, or measure or factor.", words="strategy_kind"),
        Column("strategy_id", TEXT, "The example's id, or the measure's or factor's key as JSON."),
        promised("title", TEXT, "Title of the example, name of the measure, or the cause."),
        Column("indicator_id", TEXT, "Indicator that it is to move or explains.", refers_to="dim_indicator"),
        OUTCOME,
        promised("status", TEXT, "Where an example stands; null for measures and factors.", words="example_status"),
        promised("first_evidenced_on", DATE, "When an example was first shown; null for measures and factors."),
        Column("as_of", DATE, "The day the status speaks of."),
        Column("action", TEXT, "The action that a measure judges."),
        Column("evidence", TEXT, "Kind of evidence for a factor.", words="factor_evidence"),
        Column("planned", TEXT, "Of an improvement cycle that is told as an example: what was planned."),
        Column("done", TEXT, "What was done in it."),
        Column("studied", TEXT, "What was learnt from it."),
        Column("acted", TEXT, "What was changed after it."),
        RULESET_VERSION,
    ),
    ("community_id", "reporting_year", "kind", "strategy_id"),
)

FCT_DESIGNATION_DISTANCE = TableSpec(
    "fct_designation_distance",
    "How far a community is from being eligible: the value the next year must reach for a slope to "
    "turn. One row per community, designation, reporting year, requirement that is not met and rank; "
    "as frozen where the record is.",
    (
        COMMUNITY,
        DESIGNATION,
        REPORTING_YEAR,
        Column("requirement_id", TEXT, "Requirement of the designation."),
        Column("rank", WHOLE, "Place among the rows of the requirement; 1 is nearest."),
        Column("needed_more", WHOLE, "How many of these rows must turn."),
        OUTCOME,
        INDICATOR,
        GROUP,
        Column("current_status", TEXT, "Status as it stands."),
        Column("required_status", TEXT, "Statuses that would do."),
        Column("next_year", WHOLE, "School year whose value is asked for."),
        Column("window_first_year", WHOLE, "First school year of the window that the next value opens."),
        Column("n_points", WHOLE, "Number of points of that window, the next one included."),
        Column("last_year", WHOLE, "School year of the last point."),
        Column("last_value", NUMBER, "Value of the last school year."),
        Column(
            "required_value",
            NUMBER,
            "Value of the next school year at which the status turns, in the indicator's unit.",
        ),
        Column("comparison", TEXT, "On which side of required_value the next value must lie.", words="comparison"),
        Column("change_needed", NUMBER, "required_value less last_value."),
        Column("possible", FLAG, "Whether one more year can do it at all."),
        Column("reason", TEXT, "Why one more year cannot do it; null where it can.", words="distance_reason"),
        Column("statement", TEXT, "The same in one sentence."),
        RULESET_VERSION,
    ),
    ("community_id", "designation", "reporting_year", "requirement_id", "rank"),
)
