-- Data sharing agreements as they stand today: in force, about to end, ended, or with data to be destroyed.
-- Belongs here: the newest reporting year of an agreement, and what the run's today makes of its days.
-- Does not: whether an agreement counts for a criterion (analysis).
with ranked as (
    select
        *,
        -- Two spellings in one folder are two lines; a later folder speaks of both.
        rank() over (
            partition by community_id, lower(trim(party)), lower(trim(purpose)), start_date
            order by reporting_year desc
        ) as version_no
    from {{ ref('stg_landing__data_sharing_agreements') }}
)

select
    agreements.community_id,
    cast(row_number() over (
        partition by agreements.community_id
        order by agreements.party, agreements.start_date nulls first, agreements.purpose nulls first
    ) as integer) as agreement_number,
    agreements.party,
    agreements.sector,
    agreements.data_level,
    agreements.purpose,
    agreements.start_date,
    agreements.end_date,
    agreements.destruction_date,
    case
        when agreements.destruction_date < run_context.today then 'destruction_due'
        when agreements.end_date < run_context.today then 'ended'
        when agreements.start_date > run_context.today then 'not_begun'
        when {{ days_between('run_context.today', 'agreements.end_date') }} <= {{ var('agreement_notice_days') }}
            then 'ends_soon'
        else 'in_force'
    end as agreement_status,
    agreements.reporting_year
from ranked as agreements
cross join {{ ref('stg_landing__run_context') }} as run_context
where agreements.version_no = 1
