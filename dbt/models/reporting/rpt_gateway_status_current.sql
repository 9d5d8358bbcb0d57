-- Gateways as known in the latest reporting year, with names.
-- Belongs here: the latest reporting year only, so that a naive chart adds no years up.
-- Does not: earlier knowledge (fct_gateway_status).
select
    latest.community_id,
    latest.reporting_year,
    latest.operating_in,
    latest.gateways_met,
    latest.gateways_granted,
    latest.ruleset_version,
    communities.name as community_name
from {{ ref('fct_gateway_status') }} as latest
semi join (
    select reporting_year from {{ ref('dim_reporting_year') }} where is_latest
) using (reporting_year)
left join {{ ref('dim_community') }} as communities using (community_id)
