-- Reviewers' decisions on answers to findings, as the network recorded them.
-- Belongs here: names and types of landing table register_explanation_decisions.
-- Does not: choose the decision that counts (int_decisions__newest).
select
    cast(finding_id as varchar) as finding_id,
    cast(decision as varchar) as decision,
    cast(decided_on as date) as decided_on,
    cast(approver as varchar) as approver,
    cast(reason as varchar) as reason,
    cast(reporting_year as integer) as reporting_year,
    cast(source_file as varchar) as source_file,
    cast(source_row as integer) as source_row
from {{ source('landing', 'register_explanation_decisions') }}
