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
    trim(statement) as statement,
    trim(rule) as rule,
    trim(argument) as argument,
    {{ optional_column(ref('rubric'), 'edition', 'varchar') }} as edition,
    {{ optional_column(ref('rubric'), 'from_reporting_year', 'integer') }} as from_reporting_year,
    {{ optional_column(ref('rubric'), 'approved_by', 'varchar') }} as approved_by,
    {{ optional_column(ref('rubric'), 'approved_on', 'date') }} as approved_on
from {{ ref('rubric') }}
