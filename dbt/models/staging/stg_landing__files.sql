-- Every file of every folder as it stands, and what became of it.
-- Belongs here: names and types of landing table files.
-- Does not: bytes; the lake keeps them by sha256.
select
    cast(community_id as varchar) as community_id,
    cast(reporting_year as integer) as reporting_year,
    cast(submission_id as varchar) as submission_id,
    cast(name as varchar) as name,
    cast(sha256 as varchar) as sha256,
    cast(size as bigint) as size,
    cast(layout as varchar) as layout,
    cast(kind as varchar) as kind,
    cast(rows_read as bigint) as rows_read,
    cast(rows_accepted as bigint) as rows_accepted,
    cast(rows_rejected as bigint) as rows_rejected,
    cast(rows_waiting as bigint) as rows_waiting,
    cast(contract_version as integer) as contract_version,
    cast(reading as varchar) as reading
from {{ source('landing', 'files') }}
