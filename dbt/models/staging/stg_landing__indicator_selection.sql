-- The indicators that partnerships answer for, as submitted, every reporting year that has the register.
-- Belongs here: names and types of landing table register_indicator_selection.
-- Does not: which selection counts in which year (analysis).
select
    cast(community_id as varchar) as community_id,
    cast(reporting_year as integer) as reporting_year,
    cast(indicator as varchar) as indicator_id,
    cast(outcome as varchar) as outcome_id,
    cast(role as varchar) as role,
    coalesce(cast({{ adapter.quote('primary') }} as boolean), false) as is_primary,
    cast(baseline_year as integer) as baseline_year,
    cast(revised_on as date) as revised_on,
    cast(rationale as varchar) as rationale
from {{ source('landing', 'register_indicator_selection') }}
