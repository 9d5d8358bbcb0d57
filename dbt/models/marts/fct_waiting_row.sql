-- Rows that wait for a label to be mapped: one line in a crosswalk lets the next run take them.
-- Belongs here: what the row says, as it was written, in whatever table, and the rule that keeps it waiting.
-- Does not: proposals (cradle suggest), or rows that were rejected (fct_finding).
with waiting as (
    select
        'indicator_values' as table_name,
        community_id, reporting_year, submission_id, source_file, source_sheet, source_row, source_column,
        raw_indicator, raw_dimension, raw_group, raw_geography, raw_series, layout_id, row_reason
    from {{ ref('stg_landing__observations') }}
    where row_status = 'waiting'
    union all
    select
        table_name,
        community_id, reporting_year, submission_id, source_file, source_sheet, source_row, null as source_column,
        raw_indicator, raw_dimension, raw_group, null as raw_geography, null as raw_series, layout_id, row_reason
    from {{ ref('stg_landing__waiting_register_rows') }}
),

written as (
    select
        community_id,
        reporting_year,
        submission_id,
        table_name,
        source_file,
        coalesce(source_sheet, '') as source_sheet,
        source_row,
        coalesce(source_column, '') as source_column,
        coalesce(raw_indicator, '') as raw_indicator,
        coalesce(raw_dimension, '') as raw_dimension,
        coalesce(raw_group, '') as raw_group,
        coalesce(raw_geography, '') as raw_geography,
        coalesce(raw_series, '') as raw_series,
        layout_id,
        row_reason
    from waiting
)

select
    nullif(community_id, '{{ var('network_folder') }}') as community_id,
    reporting_year,
    submission_id,
    table_name,
    source_file,
    source_sheet,
    source_row,
    source_column,
    raw_indicator,
    raw_dimension,
    raw_group,
    raw_geography,
    raw_series,
    min(layout_id) as layout_id,
    min(row_reason) as rule_id,
    count(*) as n_rows
from written
group by
    community_id, reporting_year, submission_id, table_name, source_file, source_sheet, source_row, source_column,
    raw_indicator, raw_dimension, raw_group, raw_geography, raw_series
