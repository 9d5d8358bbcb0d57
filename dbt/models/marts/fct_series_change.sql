-- New labels of series: since when, why, and whether the community calls its values comparable with those before.
-- Belongs here: one row per question about a new label, with its answer.
-- Does not: join the two: no trend or gap crosses from one label to another, whatever the answer.
with reasons as (
    select
        community_id, finding_id,
        replace(lower(trim(reason)), '_', ' ') as reason,
        row_number() over (
            partition by community_id, finding_id order by reporting_year desc, source_file desc, source_row desc
        ) as answer_no
    from {{ ref('stg_landing__explanations') }}
),

asked as (
    select
        findings.community_id, observations.indicator_id, observations.series,
        min(findings.reporting_year) as reporting_year,
        min(findings.finding_id) as finding_id
    from {{ ref('stg_landing__findings') }} as findings
    inner join {{ ref('stg_landing__observations') }} as observations
        on findings.community_id = observations.community_id
        and findings.reporting_year = observations.reporting_year
        and findings.source_file = observations.source_file
        and coalesce(findings.source_sheet, '') = coalesce(observations.source_sheet, '')
        and findings.source_row = observations.source_row
    -- A row of a wide file holds several indicators: the question names label and indicator.
    inner join {{ ref('dim_indicator') }} as indicators
        on observations.indicator_id = indicators.indicator_id
        and findings.found like '%' || observations.series || ' after %'
        and findings.found like '% for ' || indicators.name || '%'
    where findings.rule_id = 'new_series'
    group by findings.community_id, observations.indicator_id, observations.series
),

began as (
    select community_id, indicator_id, series, min(school_year) as first_school_year
    from {{ ref('fct_indicator_value_history') }}
    group by community_id, indicator_id, series
)

select
    asked.community_id,
    asked.indicator_id,
    asked.series,
    began.first_school_year,
    asked.reporting_year,
    asked.finding_id,
    findings.status = 'explained' as is_explained,
    findings.explanation,
    case
        when findings.status != 'explained' then null
        when reasons.reason = 'comparable' then true
        when reasons.reason = 'not comparable' then false
    end as is_comparable
from asked
inner join {{ ref('stg_landing__findings') }} as findings
    on asked.finding_id = findings.finding_id and asked.reporting_year = findings.reporting_year
inner join began
    on asked.community_id = began.community_id
    and asked.indicator_id = began.indicator_id
    and asked.series = began.series
left join reasons
    on asked.community_id = reasons.community_id
    and asked.finding_id = reasons.finding_id
    and reasons.answer_no = 1
