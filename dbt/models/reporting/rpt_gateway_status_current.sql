-- Gateways as known in the latest reporting year, with names.
-- Belongs here: the latest reporting year only, so that a naive chart adds no years up.
-- Does not: earlier knowledge (fct_gateway_status).
select
    latest.community_id,
    latest.reporting_year,
    latest.operating_in,
    latest.gateways_met,
    latest.gateways_granted,
    latest.exploring_status,
    latest.exploring_granted,
    latest.exploring_not_met,
    latest.exploring_undetermined,
    latest.emerging_status,
    latest.emerging_granted,
    latest.emerging_not_met,
    latest.emerging_undetermined,
    latest.sustaining_status,
    latest.sustaining_granted,
    latest.sustaining_not_met,
    latest.sustaining_undetermined,
    latest.systems_change_status,
    latest.systems_change_granted,
    latest.systems_change_not_met,
    latest.systems_change_undetermined,
    latest.systems_transformation_status,
    latest.systems_transformation_granted,
    latest.systems_transformation_not_met,
    latest.systems_transformation_undetermined,
    latest.ruleset_version,
    communities.name as community_name
from {{ ref('fct_gateway_status') }} as latest
semi join (
    select reporting_year from {{ ref('dim_reporting_year') }} where is_latest
) using (reporting_year)
left join {{ ref('dim_community') }} as communities using (community_id)
