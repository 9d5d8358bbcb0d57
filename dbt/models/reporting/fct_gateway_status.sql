-- Where a community stands on the path of gateways, as known in every reporting year.
-- Belongs here: the gateway it operates in, and how many are met and granted.
-- Does not: the gateways one by one (fct_gateway_step), designations (fct_designation).
select
    community_id::varchar as community_id,
    reporting_year::integer as reporting_year,
    operating_in::varchar as operating_in,
    gateways_met::integer as gateways_met,
    gateways_granted::integer as gateways_granted,
    ruleset_version::varchar as ruleset_version
from {{ source('analysis', 'fct_gateway_status') }}
