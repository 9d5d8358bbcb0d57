-- Designations as known in the latest reporting year, with names.
-- Belongs here: the latest reporting year only, so that a naive chart adds no years up.
-- Does not: earlier knowledge (fct_designation).
select
    latest.community_id,
    latest.designation,
    latest.reporting_year,
    latest.status,
    latest.standing,
    latest.decided_on,
    latest.next_review_due,
    latest.record_id,
    latest.ruleset_id,
    latest.ruleset_version,
    latest.record_state,
    latest.status_now,
    latest.standing_now,
    latest.record_id_now,
    communities.name as community_name
from {{ ref('fct_designation') }} as latest
semi join (
    select reporting_year from {{ ref('dim_reporting_year') }} where is_latest
) using (reporting_year)
left join {{ ref('dim_community') }} as communities using (community_id)
