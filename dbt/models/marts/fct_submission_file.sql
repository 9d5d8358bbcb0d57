-- Files of every folder as it stands: which layout read it, and how many rows were taken.
-- Belongs here: one row per community-year and file name.
-- Does not: what was wrong (fct_finding), or files of replaced states.
select
    community_id as folder,
    nullif(community_id, '{{ var('network_folder') }}') as community_id,
    reporting_year,
    name as source_file,
    submission_id,
    kind,
    layout as layout_id,
    size as size_bytes,
    sha256,
    rows_read,
    rows_accepted,
    rows_rejected
from {{ ref('stg_landing__files') }}
