-- Terms as each community defines them today.
-- Belongs here: the newest reporting year of a term.
-- Does not: the network's own words (dim_status, dim_indicator).
with ranked as (
    select
        *,
        row_number() over (
            partition by community_id, lower(term) order by reporting_year desc, approved_on desc nulls last
        ) as wording_no
    from {{ ref('stg_landing__definitions') }}
)

select community_id, term, text, approved_on, reporting_year
from ranked
where wording_no = 1
