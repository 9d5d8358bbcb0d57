-- Each gateway of the path, as known in every reporting year.
-- Belongs here: computed status and granted status of one gateway side by side.
-- Does not: where a community stands on the path as a whole (fct_gateway_status).
select
    community_id::varchar as community_id,
    gateway::varchar as gateway,
    reporting_year::integer as reporting_year,
    status::varchar as status,
    granted::boolean as granted,
    n_not_met::integer as n_not_met,
    n_undetermined::integer as n_undetermined,
    gateway_no::integer as gateway_no,
    ruleset_version::varchar as ruleset_version
from {{ source('analysis', 'fct_gateway_step') }}
