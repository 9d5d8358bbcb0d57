-- Where every outcome of every community stands, wide: verdicts, the deciding trend, its latest value, gaps, names.
-- Belongs here: one row per community and outcome as known in the latest reporting year, ready for a table or a card.
-- Does not: earlier knowledge (fct_outcome_status), or any figure of its own.
with latest as (
    select * from {{ ref('fct_outcome_status') }}
    where reporting_year in (select reporting_year from {{ ref('dim_reporting_year') }} where is_latest)
),

points as (
    select
        community_id,
        indicator_id,
        reporting_year,
        {{ value_at_largest('value', 'school_year') }} as latest_value,
        {{ value_at_largest('denominator', 'school_year') }} as latest_denominator
    from {{ ref('fct_trend_point') }}
    where used and population_group_id = 'all' and geography_id = community_id
    group by community_id, indicator_id, reporting_year
),

gaps as (
    select
        community_id,
        outcome_id,
        reporting_year,
        cast(count(*) as integer) as n_gaps,
        cast(count(case when gap_status in ('narrowed', 'eliminated') then 1 end) as integer) as n_gaps_reduced,
        cast(count(case when gap_status = 'widened' then 1 end) as integer) as n_gaps_widened
    from {{ ref('fct_gap') }}
    where standing = 'burdened' and geography_id = community_id and gap_status != 'undetermined'
    group by community_id, outcome_id, reporting_year
)

select
    latest.community_id,
    latest.outcome_id,
    latest.reporting_year,
    communities.name as community_name,
    communities.state,
    outcomes.name as outcome_name,
    latest.trend_status,
    latest.reason,
    latest.gap_reduced,
    latest.gap_reason,
    latest.deciding_indicator_id,
    indicators.name as indicator_name,
    indicators.unit,
    indicators.direction,
    trends.slope,
    trends.adjusted_slope,
    trends.first_year,
    trends.last_year,
    trends.n_years,
    {{ end_of_school_year('trends.last_year') }} as school_year_date,
    trends.robustness,
    points.latest_value,
    points.latest_denominator,
    coalesce(gaps.n_gaps, 0) as n_gaps,
    coalesce(gaps.n_gaps_reduced, 0) as n_gaps_reduced,
    coalesce(gaps.n_gaps_widened, 0) as n_gaps_widened,
    latest.ruleset_version
from latest
left join {{ ref('dim_community') }} as communities on latest.community_id = communities.community_id
left join {{ ref('dim_outcome') }} as outcomes on latest.outcome_id = outcomes.outcome_id
left join {{ ref('dim_indicator') }} as indicators on latest.deciding_indicator_id = indicators.indicator_id
left join {{ ref('fct_trend') }} as trends
    on
        latest.community_id = trends.community_id
        and latest.deciding_indicator_id = trends.indicator_id
        and latest.reporting_year = trends.reporting_year
        and trends.population_group_id = 'all'
        and latest.community_id = trends.geography_id
left join points
    on
        latest.community_id = points.community_id
        and latest.deciding_indicator_id = points.indicator_id
        and latest.reporting_year = points.reporting_year
left join gaps
    on
        latest.community_id = gaps.community_id
        and latest.outcome_id = gaps.outcome_id
        and latest.reporting_year = gaps.reporting_year
