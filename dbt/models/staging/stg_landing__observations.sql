-- Every recognised cell of every folder as it stands, accepted or not, with the place it came from.
-- Belongs here: names and types of landing table observations.
-- Does not: choose between years (int_values__versioned), or drop rows that wait or were rejected.
select
    cast(community_id as varchar) as community_id,
    cast(reporting_year as integer) as reporting_year,
    cast(submission_id as varchar) as submission_id,
    cast(source_file as varchar) as source_file,
    cast(source_sheet as varchar) as source_sheet,
    cast(source_row as integer) as source_row,
    cast(source_column as varchar) as source_column,
    cast(layout_id as varchar) as layout_id,
    cast(raw_indicator as varchar) as raw_indicator,
    cast(raw_dimension as varchar) as raw_dimension,
    cast(raw_group as varchar) as raw_group,
    cast(raw_geography as varchar) as raw_geography,
    cast(raw_series as varchar) as raw_series,
    cast(indicator_id as varchar) as indicator_id,
    cast(population_group_id as varchar) as population_group_id,
    cast(geography_id as varchar) as geography_id,
    cast(geography_level as varchar) as geography_level,
    cast(school_year as integer) as school_year,
    cast(series as varchar) as series,
    cast(period as varchar) as period,
    cast(unit as varchar) as unit,
    cast(numerator as bigint) as numerator,
    cast(denominator as bigint) as denominator,
    cast(value as double) as value,
    cast(value_low as double) as value_low,
    cast(value_high as double) as value_high,
    cast(value_status as varchar) as value_status,
    cast(participation_rate as double) as participation_rate,
    cast(data_source as varchar) as data_source,
    cast(data_level as varchar) as data_level,
    cast(note as varchar) as note,
    cast(row_status as varchar) as row_status,
    cast(row_reason as varchar) as row_reason
from {{ source('landing', 'observations') }}
-- Values in the network's own folder speak of no community.
where community_id != '{{ var('network_folder') }}'
