-- Submissions: every state a community-year's folder was seen in; all but the current one are superseded.
-- Belongs here: the lineage of states, the counts of those that stand, the network's own folders as they stand.
-- Does not: community-years without a folder (fct_submission_status), or rows of replaced states.
with states as (
    select community_id, reporting_year, submission_id, status, is_current, replaced_by, 2 as preference
    from {{ ref('stg_landing__submission_states') }}
    union all
    -- The folder as it stands is known even where the log of states was lost.
    select community_id, reporting_year, submission_id, status, true as is_current, null as replaced_by, 1 as preference
    from {{ ref('stg_landing__submissions') }}
    where submission_id is not null
),

ranked as (
    select
        *,
        row_number() over (
            partition by submission_id order by preference, is_current desc nulls last, replaced_by nulls last
        ) as state_no
    from states
),

latest as (
    select * from ranked where state_no = 1
)

select
    latest.submission_id,
    latest.community_id as folder,
    latest.community_id,
    latest.reporting_year,
    case when standing.submission_id is null then 'superseded' else standing.status end as status,
    standing.submission_id is not null as is_current,
    case when standing.submission_id is null then latest.replaced_by end as replaced_by,
    latest.status as status_when_seen,
    standing.contract_version,
    standing.n_files,
    standing.rows_read,
    standing.rows_accepted,
    standing.rows_rejected,
    standing.rows_waiting
from latest
left join {{ ref('stg_landing__submissions') }} as standing using (submission_id)
union all
select
    submission_id,
    community_id as folder,
    cast(null as varchar) as community_id,
    reporting_year,
    status,
    true as is_current,
    cast(null as varchar) as replaced_by,
    status as status_when_seen,
    contract_version,
    n_files,
    rows_read,
    rows_accepted,
    rows_rejected,
    rows_waiting
from {{ ref('stg_landing__network_submissions') }}
where submission_id is not null
