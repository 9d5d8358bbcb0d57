-- What the literal rules would say of a network in which nothing changes.
-- Belongs here: simulated rates for the methods page.
-- Does not: statements about any community.
select
    basis::varchar as basis,
    measure::varchar as measure,
    rate::double as rate,
    simulation_stderr::double as simulation_stderr,
    n_trials::bigint as n_trials,
    seed::bigint as seed,
    ruleset_version::varchar as ruleset_version
from {{ source('analysis', 'fct_false_positive') }}
