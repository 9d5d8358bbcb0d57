-- Register rows that wait for a label to be mapped, as they were written.
-- Belongs here: names and types of landing table waiting_register_rows.
-- Does not: rows of indicator_values that wait (stg_landing__observations).
select
    cast(community_id as varchar) as community_id,
    cast(reporting_year as integer) as reporting_year,
    cast(submission_id as varchar) as submission_id,
    cast(table_name as varchar) as table_name,
    cast(source_file as varchar) as source_file,
    cast(source_sheet as varchar) as source_sheet,
    cast(source_row as integer) as source_row,
    cast(row_reason as varchar) as row_reason,
    cast(layout_id as varchar) as layout_id,
    cast(raw_indicator as varchar) as raw_indicator,
    cast(raw_dimension as varchar) as raw_dimension,
    cast(raw_group as varchar) as raw_group
from {{ source('landing', 'waiting_register_rows') }}
