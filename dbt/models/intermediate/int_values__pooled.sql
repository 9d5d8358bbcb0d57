-- Community values from districts, wherever and as long as the community sent no row of its own (RULES 1).
-- Belongs here: one version for every reporting year in which the sum, its coverage or its source changed.
-- Does not: sums (int_districts__summed), means of rates, or whether a value is a valid point.
{{ config(materialized='table') }}

with parameters as (
    select
        cast(max(value) filter (where parameter = 'aggregate.min_coverage') as double) as min_coverage,
        cast(max(value) filter (where parameter = 'numeric.epsilon') as double) as epsilon
    from {{ ref('int_parameters__in_force') }}
),

compared as (
    select
        *,
        row_number() over earlier as version_no,
        lag(numerator) over earlier as earlier_numerator,
        lag(denominator) over earlier as earlier_denominator,
        lag(expected_denominator) over earlier as earlier_expected,
        lag(newest_from) over earlier as earlier_newest_from
    from {{ ref('int_districts__summed') }}
    window earlier as (
        partition by community_id, indicator_id, series, population_group_id, school_year
        order by known_from
    )
),

changed as (
    select *
    from compared
    where
        version_no = 1
        or numerator is distinct from earlier_numerator
        or denominator is distinct from earlier_denominator
        or expected_denominator is distinct from earlier_expected
        or newest_from is distinct from earlier_newest_from
),

versions as (
    select
        *,
        cast(denominator as double) / nullif(expected_denominator, 0) as coverage,
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
    100 * cast(numerator as double) / denominator as value,
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
