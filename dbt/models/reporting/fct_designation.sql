-- Designations: eligible is computed, standing is decided; they stand side by side.
-- Belongs here: status, standing, dates and the record that the status can be recomputed from.
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
    ruleset_version::varchar as ruleset_version
from {{ source('analysis', 'fct_designation') }}
