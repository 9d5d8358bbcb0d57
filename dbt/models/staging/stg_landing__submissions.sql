-- One row per community-year that has a folder: its state as it stands.
-- Belongs here: names and types of landing table submissions.
-- Does not: community-years without a folder (int_community_years__expected).
select
    cast(community_id as varchar) as community_id,
    cast(reporting_year as integer) as reporting_year,
    cast(submission_id as varchar) as submission_id,
    cast(status as varchar) as status,
    cast(contract_version as integer) as contract_version,
    cast(n_files as bigint) as n_files,
    cast(rows_read as bigint) as rows_read,
    cast(rows_accepted as bigint) as rows_accepted,
    cast(rows_rejected as bigint) as rows_rejected,
    cast(rows_waiting as bigint) as rows_waiting,
    cast(findings_blocking as bigint) as findings_blocking,
    cast(findings_open as bigint) as findings_open,
    cast(findings_explained as bigint) as findings_explained,
    cast(expected_cells as bigint) as expected_cells,
    cast(accepted_cells as bigint) as accepted_cells
from {{ source('landing', 'submissions') }}
