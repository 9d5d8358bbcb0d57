-- Outcomes: where each of the seven stands for a community, as known in every reporting year.
-- Belongs here: trend, gap verdict and what decided them.
-- Does not: designations (fct_designation).
select
    community_id::varchar as community_id,
    outcome_id::varchar as outcome_id,
    reporting_year::integer as reporting_year,
    trend_status::varchar as trend_status,
    gap_reduced::varchar as gap_reduced,
    deciding_indicator_id::varchar as deciding_indicator_id,
    reason::varchar as reason,
    gap_reason::varchar as gap_reason,
    trend_any::varchar as trend_any,
    trend_all::varchar as trend_all,
    gap_any::varchar as gap_any,
    gap_all::varchar as gap_all,
    widened_groups::varchar as widened_groups,
    n_core_indicators::integer as n_core_indicators,
    trend_by_indicator::varchar as trend_by_indicator,
    gap_by_indicator::varchar as gap_by_indicator,
    ruleset_version::varchar as ruleset_version
from {{ source('analysis', 'fct_outcome_status') }}
