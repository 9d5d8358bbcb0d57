-- Answers of communities to findings, every reporting year that holds one.
-- Belongs here: names and types of landing table register_explanations.
-- Does not: choose the answer that counts, or say whether it was accepted (stg_landing__findings carries both).
select
    cast(community_id as varchar) as community_id,
    cast(reporting_year as integer) as reporting_year,
    cast(finding_id as varchar) as finding_id,
    cast(text as varchar) as text,
    cast(reason as varchar) as reason,
    cast(source_file as varchar) as source_file,
    cast(source_row as integer) as source_row
from {{ source('landing', 'register_explanations') }}
