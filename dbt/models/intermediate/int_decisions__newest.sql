-- The decision on the answer to each finding that counts: the newest.
-- Belongs here: the choice among several decisions on one finding.
-- Does not: what a decision does to a finding (the intake), or to a story (fct_story).
with ranked as (
    select
        *,
        row_number() over (
            partition by finding_id
            order by decided_on desc, reporting_year desc, source_file desc, source_row desc
        ) as decision_no
    from {{ ref('stg_landing__explanation_decisions') }}
)

select finding_id, decision, decided_on, approver, reason
from ranked
where decision_no = 1
