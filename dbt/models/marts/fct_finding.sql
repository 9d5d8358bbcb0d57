-- Findings: what a check found, where, what is allowed, how to put it right.
-- Belongs here: one row per finding_id; an explainable one that two years share is shown with the newest.
-- Does not: decide what a finding keeps out (the intake did).
with ranked as (
    select
        *,
        row_number() over (
            partition by finding_id
            order by
                reporting_year desc nulls last, submission_id nulls last, source_file nulls last,
                source_sheet nulls last, source_row nulls last, source_column nulls last
        ) as finding_no
    from {{ ref('stg_landing__findings') }}
)

select
    finding_id,
    nullif(community_id, '{{ var('network_folder') }}') as community_id,
    reporting_year,
    submission_id,
    rule_id,
    severity,
    quality_dimension,
    source_file,
    source_sheet,
    source_row,
    source_column,
    found,
    allowed,
    message,
    remedy,
    n_rows,
    status,
    explanation
from ranked
where finding_no = 1
