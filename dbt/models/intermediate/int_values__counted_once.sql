-- Communities' annual totals without the districts that another community's total already counts.
-- Belongs here: of communities that share a district the first by id keeps it, in every indicator, group and year.
-- Does not: rates, or the constant panel of the network's figures (analysis), which parts its totals the same way.
with districts as (
    select
        geographies.community_id,
        geographies.geography_id,
        coalesce(
            geographies.code_system || ':' || geographies.code, geographies.geography_id
        ) as place,
        coalesce(geographies.valid_from, 0) as valid_from,
        coalesce(geographies.valid_to, {{ var('end_of_time') }}) as valid_to
    from {{ ref('stg_network__geographies') }} as geographies
    inner join {{ ref('stg_network__communities') }} as communities
        on geographies.community_id = communities.community_id
    where geographies.geography_level = 'district'
),

shared as (
    select place from districts group by place having count(distinct community_id) > 1
),

effective as (
    select
        community_id, indicator_id, population_group_id, geography_id, geography_level, school_year, series,
        numerator, denominator
    from {{ ref('int_values__combined') }}
    where period = 'annual' and known_to = {{ var('end_of_time') }}
),

totals as (
    select * from effective
    where geography_level = 'community' and numerator is not null and denominator is not null
),

served as (
    select
        totals.*,
        districts.geography_id as district_id,
        min(totals.community_id) over (
            partition by totals.indicator_id, totals.population_group_id, totals.school_year, districts.place
        ) as first_community_id
    from totals
    inner join districts
        on totals.community_id = districts.community_id
        and totals.school_year between districts.valid_from and districts.valid_to
    inner join shared on districts.place = shared.place
),

rest as (
    select
        served.community_id, served.indicator_id, served.population_group_id, served.school_year, served.series,
        served.numerator - sum(parts.numerator) as numerator,
        served.denominator - sum(parts.denominator) as denominator,
        count(*) = count(parts.numerator) and count(*) = count(parts.denominator) as is_known
    from served
    left join effective as parts
        on served.community_id = parts.community_id
        and served.district_id = parts.geography_id
        and served.indicator_id = parts.indicator_id
        and served.population_group_id = parts.population_group_id
        and served.school_year = parts.school_year
        and served.series = parts.series
    where served.community_id <> served.first_community_id
    group by
        served.community_id, served.indicator_id, served.population_group_id, served.school_year, served.series,
        served.numerator, served.denominator
)

select
    community_id,
    indicator_id,
    population_group_id,
    school_year,
    series,
    case when is_known and numerator >= 0 and denominator >= numerator then numerator end as numerator,
    case when is_known and numerator >= 0 and denominator >= numerator then denominator end as denominator
from rest
