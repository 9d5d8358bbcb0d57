-- Coverage with names, and the criteria of the latest reporting year that wait for the dimension.
-- Belongs here: rows of fct_coverage, one by one.
-- Does not: earlier standings of criteria (fct_criterion_status).
with waiting as (
    select standings.community_id, standings.criterion_id
    from {{ ref('fct_criterion_status') }} as standings
    inner join {{ ref('dim_reporting_year') }} as reporting_years
        on standings.reporting_year = reporting_years.reporting_year and reporting_years.is_latest
    where standings.status in ('not_met', 'undetermined')
),

named as (
    select
        coverage.community_id, coverage.indicator_id, coverage.dimension, coverage.school_year,
        {{ joined_words('waiting.criterion_id', ', ') }} as criteria_waiting
    from {{ ref('fct_coverage') }} as coverage
    inner join waiting
        on coverage.community_id = waiting.community_id
        and ', ' || coverage.criteria || ',' like '%, ' || waiting.criterion_id || ',%'
    -- Where the dimension has a value the criterion waits for something else.
    where coverage.n_with_value = 0
    group by coverage.community_id, coverage.indicator_id, coverage.dimension, coverage.school_year
)

select
    coverage.community_id,
    coverage.indicator_id,
    coverage.dimension,
    coverage.school_year,
    communities.name as community_name,
    communities.state,
    indicators.name as indicator_name,
    coverage.n_groups,
    coverage.n_with_value,
    coverage.n_masked,
    coverage.n_absent,
    coverage.criteria,
    named.criteria_waiting
from {{ ref('fct_coverage') }} as coverage
left join named
    on coverage.community_id = named.community_id
    and coverage.indicator_id = named.indicator_id
    and coverage.dimension = named.dimension
    and coverage.school_year = named.school_year
left join {{ ref('dim_community') }} as communities on coverage.community_id = communities.community_id
left join {{ ref('dim_indicator') }} as indicators on coverage.indicator_id = indicators.indicator_id
