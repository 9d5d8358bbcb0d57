-- Criteria and sub-criteria of the rubric, as known in every reporting year.
-- Belongs here: status, evidence in words, and the parts that made it.
-- Does not: benchmarks and gateways (fct_benchmark_status, fct_gateway_status).
select
    community_id::varchar as community_id,
    criterion_id::varchar as criterion_id,
    reporting_year::integer as reporting_year,
    status::varchar as status,
    evidence::varchar as evidence,
    own_status::varchar as own_status,
    computed_status::varchar as computed_status,
    attested_status::varchar as attested_status,
    decision::varchar as decision,
    reason::varchar as reason,
    ruleset_version::varchar as ruleset_version
from {{ source('analysis', 'fct_criterion_status') }}
