-- Conservation: nothing is lost or made between the submitted rows and the marts.
-- Belongs here: per submission, rows and counts accepted = effective + superseded; all others wait or have a reason.
-- Does not: recount the files themselves (the intake's receipt and the integration tests do).
with submitted as (
    select
        community_id, reporting_year, submission_id,
        count(*) as n_rows,
        sum(numerator) as numerators,
        sum(denominator) as denominators
    from {{ ref('stg_landing__observations') }}
    where row_status = 'accepted' and data_level = 'population'
    group by community_id, reporting_year, submission_id
),

kept as (
    select
        community_id, known_from as reporting_year, submission_id,
        count(*) filter (where known_to = {{ var('end_of_time') }}) as n_effective,
        count(*) filter (where known_to between known_from and {{ var('end_of_time') }} - 1) as n_superseded,
        sum(numerator) as numerators,
        sum(denominator) as denominators
    from {{ ref('fct_indicator_value_history') }}
    where origin = 'submitted'
    group by community_id, known_from, submission_id
)

select
    coalesce(submitted.submission_id, kept.submission_id) as submission_id,
    submitted.n_rows, kept.n_effective, kept.n_superseded,
    submitted.numerators, kept.numerators as numerators_kept,
    submitted.denominators, kept.denominators as denominators_kept
from submitted
full outer join kept using (community_id, reporting_year, submission_id)
where submitted.n_rows is distinct from kept.n_effective + kept.n_superseded
    or submitted.numerators is distinct from kept.numerators
    or submitted.denominators is distinct from kept.denominators
