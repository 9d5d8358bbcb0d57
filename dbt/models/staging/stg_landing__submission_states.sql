-- Every state a folder was ever seen in, replaced ones included.
-- Belongs here: names and types of landing table submission_states.
-- Does not: rows or figures of replaced states; none are kept.
select
    cast(community_id as varchar) as community_id,
    cast(reporting_year as integer) as reporting_year,
    cast(submission_id as varchar) as submission_id,
    cast(status as varchar) as status,
    cast(is_current as boolean) as is_current,
    cast(replaced_by as varchar) as replaced_by
from {{ source('landing', 'submission_states') }}
