-- Counts of districts added up at every reporting year in which one of them changed, until the community's own row.
-- Belongs here: sums, and the denominator that the listed districts would add up to.
-- Does not: which of the sums differ from the one before (int_values__pooled), or whether coverage is enough.
{{ config(materialized='table') }}

with districts as (
    select * from {{ ref('int_values__poolable') }} where is_district
),

-- A community row, masked or not, wins from its first reporting year on: later ones only replace it.
own_rows as (
    select community_id, indicator_id, series, population_group_id, school_year, min(known_from) as own_from
    from {{ ref('int_values__poolable') }}
    where is_own
    group by community_id, indicator_id, series, population_group_id, school_year
),

keys as (
    select community_id, indicator_id, series, population_group_id, school_year, min(known_from) as first_from
    from districts
    where reports
    group by community_id, indicator_id, series, population_group_id, school_year
),

-- A value can change in a reporting year that restates the year itself or, through coverage, an earlier one.
changes as (
    select distinct community_id, indicator_id, series, population_group_id, school_year, known_from
    from districts
),

moments as (
    select distinct
        keys.community_id, keys.indicator_id, keys.series, keys.population_group_id, keys.school_year,
        own_rows.own_from, changes.known_from
    from keys
    inner join changes
        on keys.community_id = changes.community_id
        and keys.indicator_id = changes.indicator_id
        and keys.series = changes.series
        and keys.population_group_id = changes.population_group_id
        and keys.school_year >= changes.school_year
        and keys.first_from <= changes.known_from
    left join own_rows
        on keys.community_id = own_rows.community_id
        and keys.indicator_id = own_rows.indicator_id
        and keys.series = own_rows.series
        and keys.population_group_id = own_rows.population_group_id
        and keys.school_year = own_rows.school_year
    where own_rows.own_from is null or changes.known_from < own_rows.own_from
),

sums as (
    select
        moments.community_id, moments.indicator_id, moments.series, moments.population_group_id,
        moments.school_year, moments.known_from,
        sum(districts.numerator) as numerator,
        sum(districts.denominator) as denominator,
        count(*) as n_districts,
        max(districts.known_from) as newest_from,
        {{ value_at_largest('districts.submission_id', 'districts.known_from') }} as submission_id,
        {{ joined_words('districts.source_file', '; ') }} as source_file
    from moments
    inner join districts
        on moments.community_id = districts.community_id
        and moments.indicator_id = districts.indicator_id
        and moments.series = districts.series
        and moments.population_group_id = districts.population_group_id
        and moments.school_year = districts.school_year
        and moments.known_from between districts.known_from and districts.known_to
    where districts.reports
    group by
        moments.community_id, moments.indicator_id, moments.series, moments.population_group_id,
        moments.school_year, moments.known_from
),

listed as (
    select distinct geographies.community_id, geographies.geography_id, geographies.valid_from, geographies.valid_to
    from {{ ref('stg_network__geographies') }} as geographies
    where geographies.geography_level = 'district'
),

latest as (
    select
        moments.community_id, moments.indicator_id, moments.series, moments.population_group_id,
        moments.school_year, moments.known_from, districts.geography_id,
        {{ value_at_largest('districts.denominator', 'districts.school_year') }} as denominator
    from moments
    inner join listed
        on moments.community_id = listed.community_id
        and moments.school_year >= coalesce(listed.valid_from, 0)
        and moments.school_year <= coalesce(listed.valid_to, {{ var('end_of_time') }})
    inner join districts
        on listed.community_id = districts.community_id
        and listed.geography_id = districts.geography_id
        and moments.indicator_id = districts.indicator_id
        and moments.series = districts.series
        and moments.population_group_id = districts.population_group_id
        and moments.school_year >= districts.school_year
        and moments.known_from between districts.known_from and districts.known_to
    where districts.denominator is not null
    group by
        moments.community_id, moments.indicator_id, moments.series, moments.population_group_id,
        moments.school_year, moments.known_from, districts.geography_id
),

expected as (
    select
        community_id, indicator_id, series, population_group_id, school_year, known_from,
        sum(denominator) as denominator
    from latest
    group by community_id, indicator_id, series, population_group_id, school_year, known_from
)

select
    moments.community_id,
    moments.indicator_id,
    moments.series,
    moments.population_group_id,
    moments.school_year,
    moments.known_from,
    moments.own_from,
    cast(sums.numerator as bigint) as numerator,
    cast(sums.denominator as bigint) as denominator,
    cast(expected.denominator as bigint) as expected_denominator,
    cast(sums.n_districts as integer) as n_districts,
    sums.newest_from,
    sums.submission_id,
    sums.source_file
from moments
left join sums using (community_id, indicator_id, series, population_group_id, school_year, known_from)
left join expected using (community_id, indicator_id, series, population_group_id, school_year, known_from)
