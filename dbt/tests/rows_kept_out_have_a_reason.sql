-- Conservation: every row that is not accepted is accounted for by the rule that keeps it out or lets it wait.
-- Belongs here: rows without a reason, by submission and status, and waiting rows missing from fct_waiting_row.
-- Does not: judge the reason.
with waiting as (
    select submission_id from {{ ref('stg_landing__observations') }} where row_status = 'waiting'
    union all
    select submission_id from {{ ref('stg_landing__waiting_register_rows') }}
)

select community_id, reporting_year, submission_id, row_status, count(*) as n_rows
from {{ ref('stg_landing__observations') }}
where row_status != 'accepted' and row_reason is null
group by community_id, reporting_year, submission_id, row_status
union all
select 'every community', null, null, 'waiting', abs(waiting.n_rows - shown.n_rows)
from (select count(*) as n_rows from waiting) as waiting
cross join (select coalesce(sum(n_rows), 0) as n_rows from {{ ref('fct_waiting_row') }}) as shown
where waiting.n_rows != shown.n_rows
