-- Who leads and works for a partnership by groups, every reporting year that says so.
-- Belongs here: names and types of landing table register_staff_composition.
-- Does not: choose among years.
select
    cast(community_id as varchar) as community_id,
    cast(reporting_year as integer) as reporting_year,
    cast(body as varchar) as body,
    case
        when {{ adapter.quote('group') }} = 'all' then 'all' else dimension || ':' || {{ adapter.quote('group') }}
    end as population_group_id,
    cast(dimension as varchar) as dimension,
    cast(people as bigint) as people,
    cast(community_people as bigint) as community_people,
    cast(source as varchar) as source
from {{ source('landing', 'register_staff_composition') }}
