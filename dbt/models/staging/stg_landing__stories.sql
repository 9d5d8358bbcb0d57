-- Stories as submitted, consented or not.
-- Belongs here: names and types of landing table register_stories.
-- Does not: withhold a text (fct_story does; nothing of this schema is released).
select
    cast(community_id as varchar) as community_id,
    cast(reporting_year as integer) as reporting_year,
    cast(submission_id as varchar) as submission_id,
    cast(source_file as varchar) as source_file,
    cast(source_sheet as varchar) as source_sheet,
    cast(source_row as integer) as source_row,
    cast(title as varchar) as title,
    cast(text as varchar) as text,
    cast(indicator as varchar) as indicator_id,
    cast(consent as boolean) as consent,
    cast(author_role as varchar) as author_role,
    cast(language as varchar) as language
from {{ source('landing', 'register_stories') }}
