-- Outcomes as known in the latest reporting year, with names.
-- Belongs here: the latest reporting year only, so that a naive chart adds no years up.
-- Does not: earlier knowledge (fct_outcome_status).
select
    latest.community_id,
    latest.outcome_id,
    latest.reporting_year,
    latest.trend_status,
    latest.gap_reduced,
    latest.deciding_indicator_id,
    latest.reason,
    latest.gap_reason,
    latest.trend_any,
    latest.trend_all,
    latest.gap_any,
    latest.gap_all,
    latest.widened_groups,
    latest.n_core_indicators,
    latest.trend_by_indicator,
    latest.gap_by_indicator,
    latest.ruleset_version,
    communities.name as community_name,
    outcomes.name as outcome_name
from {{ ref('fct_outcome_status') }} as latest
semi join (
    select reporting_year from {{ ref('dim_reporting_year') }} where is_latest
) using (reporting_year)
left join {{ ref('dim_community') }} as communities using (community_id)
left join {{ ref('dim_outcome') }} as outcomes using (outcome_id)
