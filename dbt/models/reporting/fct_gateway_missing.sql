-- What is missing to the gateway that a community operates in.
-- Belongs here: criteria that are not met, with the reason.
-- Does not: criteria of other gateways.
select
    community_id::varchar as community_id,
    reporting_year::integer as reporting_year,
    gateway::varchar as gateway,
    criterion_id::varchar as criterion_id,
    parent_id::varchar as parent_id,
    benchmark_no::integer as benchmark_no,
    statement::varchar as statement,
    status::varchar as status,
    reason::varchar as reason,
    evidence::varchar as evidence,
    ruleset_version::varchar as ruleset_version
from {{ source('analysis', 'fct_gateway_missing') }}
