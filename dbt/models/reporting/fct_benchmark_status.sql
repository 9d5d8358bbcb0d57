-- Benchmarks: met when all of their criteria are.
-- Belongs here: counts of criteria by status.
-- Does not: criteria themselves (fct_criterion_status).
select
    community_id::varchar as community_id,
    gateway::varchar as gateway,
    benchmark_no::integer as benchmark_no,
    reporting_year::integer as reporting_year,
    status::varchar as status,
    pillar::varchar as pillar,
    benchmark_title::varchar as benchmark_title,
    n_criteria::integer as n_criteria,
    n_met::integer as n_met,
    n_not_met::integer as n_not_met,
    n_undetermined::integer as n_undetermined,
    ruleset_version::varchar as ruleset_version
from {{ source('analysis', 'fct_benchmark_status') }}
