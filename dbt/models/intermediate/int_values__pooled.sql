-- Community values from districts, wherever and as long as the community sent no row of its own (RULES 1).
-- Belongs here: sums of counts at every reporting year in which one of them changed, and their coverage.
-- Does not: means of rates, units other than percent, periods within a year, or whether a value is a valid point.
{{ config(materialized='table') }}

with parameters as (
    select
        cast(max(value) filter (where parameter = 'aggregate.min_coverage') as double) as min_coverage,
        cast(max(value) filter (where parameter = 'numeric.epsilon') as double) as epsilon
    from {{ ref('int_parameters__in_force') }}
),

percent_indicators as (
    select indicators.indicator_id
    from {{ ref('stg_dictionary__indicators') }} as indicators
    inner join {{ ref('stg_dictionary__units') }} as units using (unit)
    where units.stored_unit = 'percent'
),

annual as (
    select * from {{ ref('int_values__versioned') }}
    semi join percent_indicators using (indicator_id)
    where period = 'annual'
),

districts as (
    select *, coalesce(numerator is not null and denominator > 0, false) as reports
    from annual
    where geography_level = 'district' and geography_id != community_id
),

-- A community row, masked or not, wins from its first reporting year on: later ones only replace it.
own_rows as (
    select community_id, indicator_id, series, population_group_id, school_year, min(known_from) as own_from
    from annual
    where geography_id = community_id
    group by all
),

keys as (
    select community_id, indicator_id, series, population_group_id, school_year, min(known_from) as first_from
    from districts
    where reports
    group by all
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
        max_by(districts.submission_id, districts.known_from) as submission_id,
        string_agg(distinct districts.source_file, '; ' order by districts.source_file) as source_file
    from moments
    inner join districts
        on moments.community_id = districts.community_id
        and moments.indicator_id = districts.indicator_id
        and moments.series = districts.series
        and moments.population_group_id = districts.population_group_id
        and moments.school_year = districts.school_year
        and moments.known_from between districts.known_from and districts.known_to
    where districts.reports
    group by all
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
        max_by(districts.denominator, districts.school_year) as denominator
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
    group by all
),

expected as (
    select community_id, indicator_id, series, population_group_id, school_year, known_from,
        sum(denominator) as denominator
    from latest
    group by all
),

compared as (
    select
        moments.*,
        cast(sums.numerator as bigint) as numerator,
        cast(sums.denominator as bigint) as denominator,
        cast(sums.denominator as double) / nullif(expected.denominator, 0) as coverage,
        cast(sums.n_districts as integer) as n_districts,
        sums.newest_from, sums.submission_id, sums.source_file,
        row(sums.numerator, sums.denominator, expected.denominator, sums.newest_from) as state
    from moments
    left join sums using (community_id, indicator_id, series, population_group_id, school_year, known_from)
    left join expected using (community_id, indicator_id, series, population_group_id, school_year, known_from)
),

changed as (
    select *
    from compared
    window earlier as (
        partition by community_id, indicator_id, series, population_group_id, school_year
        order by known_from
    )
    qualify row_number() over earlier = 1 or state is distinct from lag(state) over earlier
),

versions as (
    select
        *,
        coalesce(lead(known_from) over later - 1, own_from - 1, {{ var('end_of_time') }}) as known_to
    from changed
    window later as (
        partition by community_id, indicator_id, series, population_group_id, school_year
        order by known_from
    )
)

select
    community_id,
    indicator_id,
    population_group_id,
    community_id as geography_id,
    'community' as geography_level,
    school_year,
    series,
    'annual' as period,
    'percent' as unit,
    100.0 * numerator / denominator as value,
    numerator,
    denominator,
    case when coverage < min_coverage - epsilon then 'low_coverage' else 'derived' end as value_status,
    coverage,
    n_districts,
    submission_id,
    source_file,
    known_from,
    known_to
from versions
cross join parameters
-- Where every district was masked by a restatement, the value ends and nothing stands in its place.
where numerator is not null
