-- Groups and places of one community whose trend is certainly better or worse than that of its total.
-- Belongs here: trends whose interval lies wholly to one side of the total's slope, the better side by direction, by
-- more than the ruleset's numerical tolerance: of straight lines that run level, rounding would else make spots.
-- Does not: compare communities, rank anything, or speak of a trend that is undetermined.
with parameters as (
    select cast(max(value) filter (where parameter = 'numeric.epsilon') as double) as epsilon
    from {{ ref('int_parameters__in_force') }}
),

trends as (
    select trends.*, indicators.direction
    from {{ ref('fct_trend') }} as trends
    inner join {{ ref('dim_indicator') }} as indicators on trends.indicator_id = indicators.indicator_id
    where trends.slope is not null and indicators.direction != 0
),

totals as (
    select community_id, indicator_id, reporting_year, slope
    from trends
    where population_group_id = 'all' and geography_id = community_id
)

select
    parts.community_id,
    parts.indicator_id,
    parts.population_group_id,
    parts.geography_id,
    parts.reporting_year,
    case
        when parts.direction = 1 and parts.slope_ci_low > totals.slope + parameters.epsilon then 'bright_spot'
        when parts.direction = -1 and parts.slope_ci_high < totals.slope - parameters.epsilon then 'bright_spot'
        else 'area_of_need'
    end as kind,
    parts.slope,
    parts.slope_ci_low,
    parts.slope_ci_high,
    totals.slope as total_slope,
    parts.n_years,
    parts.ruleset_version
from trends as parts
inner join totals
    on parts.community_id = totals.community_id
    and parts.indicator_id = totals.indicator_id
    and parts.reporting_year = totals.reporting_year
cross join parameters
where
    (parts.population_group_id != 'all' or parts.geography_id != parts.community_id)
    and (
        parts.slope_ci_low > totals.slope + parameters.epsilon
        or parts.slope_ci_high < totals.slope - parameters.epsilon
    )
