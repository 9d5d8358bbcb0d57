-- The rubric that gateways and designations are judged by.
-- Belongs here: one row per criterion, sub-criterion and designation row.
-- Does not: statuses (fct_criterion_status), or the network's own wording of its rubric.
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
    statement
from {{ ref('stg_rubric__criteria') }}
