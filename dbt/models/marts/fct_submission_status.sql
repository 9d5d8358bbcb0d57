-- Where every community stands in every reporting year, by what lies in its folder.
-- Belongs here: the status and four quality measures side by side.
-- Does not: one score over the four, arrival times, or replaced states (dim_submission).
with inconsistent as (
    select community_id, reporting_year, sum(coalesce(n_rows, 1)) as n_rows
    from {{ ref('stg_landing__findings') }}
    where status = 'open' and severity != 'info' and quality_dimension = 'consistency'
    group by community_id, reporting_year
)

select
    expected.community_id,
    expected.reporting_year,
    coalesce(submissions.status, expected.status_without_folder) as status,
    submissions.submission_id,
    coalesce(submissions.rows_read, 0) as rows_read,
    coalesce(submissions.rows_accepted, 0) as rows_accepted,
    coalesce(submissions.rows_rejected, 0) as rows_rejected,
    coalesce(submissions.rows_waiting, 0) as rows_waiting,
    coalesce(submissions.findings_blocking, 0) as findings_blocking,
    coalesce(submissions.findings_open, 0) as findings_open,
    coalesce(submissions.findings_explained, 0) as findings_explained,
    coalesce(submissions.n_files, 0) as n_files,
    expected.due_on,
    expected.is_past_due as is_due,
    expected.waiver_reason,
    case
        when expected.status_without_folder = 'late' and submissions.status is null then cast(0 as double)
        -- Once the day has passed a folder alone does not tell when it came: schema ops does.
        when submissions.status is not null and not coalesce(expected.is_past_due, false) then cast(1 as double)
    end as timeliness,
    cast(submissions.accepted_cells as double) / nullif(submissions.expected_cells, 0) as completeness,
    cast(submissions.rows_accepted as double)
    / nullif(submissions.rows_accepted + submissions.rows_rejected, 0) as validity,
    case
        when submissions.rows_accepted > 0
            then greatest(0, 1 - cast(coalesce(inconsistent.n_rows, 0) as double) / submissions.rows_accepted)
    end as consistency
from {{ ref('int_community_years__expected') }} as expected
left join {{ ref('stg_landing__submissions') }} as submissions using (community_id, reporting_year)
left join inconsistent using (community_id, reporting_year)
