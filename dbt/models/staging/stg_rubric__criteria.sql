-- The rubric, reworded: criteria, sub-criteria and designation rows.
-- Belongs here: names and types of seed rubric/rubric.
-- Does not: how a criterion is evaluated (analysis).
select
    trim(criterion_id) as criterion_id,
    trim(parent_id) as parent_id,
    trim(gateway) as gateway,
    trim(pillar) as pillar,
    cast(benchmark_no as integer) as benchmark_no,
    trim(benchmark_title) as benchmark_title,
    trim(cast(criterion_no as varchar)) as criterion_no,
    trim(kind) as kind,
    trim(determined_by) as determined_by,
    trim(statement) as statement
from {{ ref('rubric') }}
