-- Results that communities want for their populations of focus today, each population tied to a group where it is one.
-- Belongs here: the newest register, the group of the dictionary that a population names by id or by name.
-- Does not: judge whether a result was reached (targets do), or ask about a population (the intake does).
with newest as (
    select community_id, max(reporting_year) as reporting_year
    from {{ ref('stg_landing__results') }}
    group by community_id
),

-- A name that two dimensions share (Yes, Unknown) stands for neither.
names as (
    select wording, min(population_group_id) as population_group_id
    from (
        select lower(label) as wording, population_group_id from {{ ref('dim_population_group') }}
        union all
        select lower(population_group_id) as wording, population_group_id from {{ ref('dim_population_group') }}
    ) as labels
    group by wording
    having count(distinct population_group_id) = 1
)

select
    results.community_id,
    cast(row_number() over (
        partition by results.community_id order by results.population, results.statement nulls first
    ) as integer) as result_number,
    results.population,
    names.population_group_id,
    coalesce(lower(trim(results.population)) like 'local:%', false) as is_local,
    results.statement,
    results.outcome_id,
    results.reporting_year
from {{ ref('stg_landing__results') }} as results
inner join newest
    on results.community_id = newest.community_id and results.reporting_year = newest.reporting_year
left join names on lower(trim(results.population)) = names.wording
