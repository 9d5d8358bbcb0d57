-- The rubric that gateways and designations are judged by.
-- Belongs here: one row per criterion, sub-criterion and designation row, as its newest edition words it.
-- Does not: statuses (fct_criterion_status), earlier wordings, or the network's own wording of its rubric.
with ranked as (
    select
        *,
        row_number() over (partition by criterion_id order by from_reporting_year desc nulls last) as edition_no
    from {{ ref('stg_rubric__criteria') }}
)

select
    criterion_id,
    parent_id,
    gateway,
    pillar,
    benchmark_no,
    benchmark_title,
    criterion_no,
    kind,
    determined_by,
    statement,
    edition,
    approved_by,
    approved_on
from ranked
where edition_no = 1
