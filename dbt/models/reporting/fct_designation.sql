-- Designations: eligible is computed, standing is decided; they stand side by side.
-- Belongs here: status, standing, dates and the record that the status can be recomputed from; where the record is
-- frozen, what today's data would give stands beside it.
-- Does not: grant anything.
select
    community_id::varchar as community_id,
    designation::varchar as designation,
    reporting_year::integer as reporting_year,
    status::varchar as status,
    standing::varchar as standing,
    decided_on::date as decided_on,
    next_review_due::date as next_review_due,
    record_id::varchar as record_id,
    ruleset_id::varchar as ruleset_id,
    ruleset_version::varchar as ruleset_version,
    record_state::varchar as record_state,
    status_now::varchar as status_now,
    standing_now::varchar as standing_now,
    record_id_now::varchar as record_id_now
from {{ source('analysis', 'fct_designation') }}
