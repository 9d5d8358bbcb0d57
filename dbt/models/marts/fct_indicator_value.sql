-- Values effective today: one row per key, submitted or pooled from districts, masked ones included.
-- Belongs here: the value, why it is missing if it is, and the row of the file it came from.
-- Does not: earlier versions (fct_indicator_value_history), trends or any judgement.
select
    combined.community_id,
    combined.indicator_id,
    combined.population_group_id,
    combined.geography_id,
    combined.geography_level,
    combined.school_year,
    combined.series,
    combined.period,
    combined.unit,
    combined.value,
    combined.value_low,
    combined.value_high,
    combined.numerator,
    combined.denominator,
    cast(
        case when once.community_id is null then combined.numerator else once.numerator end as bigint
    ) as numerator_once,
    cast(
        case when once.community_id is null then combined.denominator else once.denominator end as bigint
    ) as denominator_once,
    combined.value_status,
    combined.coverage,
    combined.participation_rate,
    combined.origin,
    combined.n_districts,
    combined.data_source,
    combined.note,
    combined.known_from as reporting_year,
    combined.submission_id,
    combined.source_file,
    combined.source_sheet,
    combined.source_row,
    combined.source_column,
    combined.layout_id
from {{ ref('int_values__combined') }} as combined
left join {{ ref('int_values__counted_once') }} as once
    on combined.geography_level = 'community'
    and combined.period = 'annual'
    and combined.community_id = once.community_id
    and combined.indicator_id = once.indicator_id
    and combined.population_group_id = once.population_group_id
    and combined.school_year = once.school_year
    and combined.series = once.series
where combined.known_to = {{ var('end_of_time') }}
