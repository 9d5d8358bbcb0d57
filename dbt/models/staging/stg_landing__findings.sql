-- Findings of every folder, and the network's own list.
-- Belongs here: names and types of landing table findings.
-- Does not: settle an explainable finding that two years share (fct_finding).
select
    cast(finding_id as varchar) as finding_id,
    cast(community_id as varchar) as community_id,
    cast(reporting_year as integer) as reporting_year,
    cast(submission_id as varchar) as submission_id,
    cast(rule_id as varchar) as rule_id,
    cast(severity as varchar) as severity,
    cast(dimension as varchar) as quality_dimension,
    cast(source_file as varchar) as source_file,
    cast(source_sheet as varchar) as source_sheet,
    cast(source_row as integer) as source_row,
    cast(source_column as varchar) as source_column,
    cast(found as varchar) as found,
    cast(allowed as varchar) as allowed,
    cast(message as varchar) as message,
    cast(remedy as varchar) as remedy,
    cast(n_rows as integer) as n_rows,
    cast(status as varchar) as status,
    cast(explanation as varchar) as explanation
from {{ source('landing', 'findings') }}
