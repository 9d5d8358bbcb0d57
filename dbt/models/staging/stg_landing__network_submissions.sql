-- One row per reporting year in which the network's own folder is there: its state as it stands.
-- Belongs here: names and types of landing table network_submissions.
-- Does not: folders of communities (stg_landing__submissions), which alone are due and counted.
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
    cast(rows_waiting as bigint) as rows_waiting
from {{ source('landing', 'network_submissions') }}
