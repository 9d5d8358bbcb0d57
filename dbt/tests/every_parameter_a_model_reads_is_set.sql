-- The ruleset in force sets, once and as a number, every parameter that a model reads.
-- Belongs here: the names of parameters that SQL reads.
-- Does not: parameters of the analysis, which checks its own.
with read_by_models as (
    select 'aggregate.min_coverage' as parameter from {{ ref('stg_landing__run_context') }}
    union all
    select 'numeric.epsilon' as parameter from {{ ref('stg_landing__run_context') }}
)

select read_by_models.parameter, count(try_cast(in_force.value as double)) as n_values
from read_by_models
left join {{ ref('int_parameters__in_force') }} as in_force using (parameter)
group by read_by_models.parameter
having count(try_cast(in_force.value as double)) != 1
