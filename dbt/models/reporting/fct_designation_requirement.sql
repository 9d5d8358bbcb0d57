-- What each designation requires, and what is there.
-- Belongs here: required and actual figure of every requirement; where the record is frozen, what today's data would
-- give stands beside it.
-- Does not: the roll-up of requirements (fct_designation).
select
    community_id::varchar as community_id,
    designation::varchar as designation,
    reporting_year::integer as reporting_year,
    requirement_id::varchar as requirement_id,
    required::double as required,
    actual::double as actual,
    status::varchar as status,
    n_undetermined::integer as n_undetermined,
    n_members::integer as n_members,
    measure::varchar as measure,
    statement::varchar as statement,
    evidence::varchar as evidence,
    reason::varchar as reason,
    ruleset_id::varchar as ruleset_id,
    ruleset_version::varchar as ruleset_version,
    record_state::varchar as record_state,
    actual_now::double as actual_now,
    status_now::varchar as status_now
from {{ source('analysis', 'fct_designation_requirement') }}
