-- What changed in a community's own selection from one register to the next: old, new, day and reason.
-- Belongs here: role, primary mark and baseline year of indicators that both registers hold.
-- Does not: ask about a change without a reason (the intake does), or judge it.
with years as (
    select
        community_id,
        reporting_year,
        lag(reporting_year) over (partition by community_id order by reporting_year) as year_before
    from (select distinct community_id, reporting_year from {{ ref('stg_landing__indicator_selection') }}) as known
),

pairs as (
    select
        newer.community_id, newer.indicator_id, newer.reporting_year, years.year_before,
        newer.revised_on, newer.rationale,
        older.role as old_role, newer.role as new_role,
        older.is_primary as old_primary, newer.is_primary as new_primary,
        older.baseline_year as old_baseline, newer.baseline_year as new_baseline
    from {{ ref('stg_landing__indicator_selection') }} as newer
    inner join years
        on newer.community_id = years.community_id and newer.reporting_year = years.reporting_year
    inner join {{ ref('stg_landing__indicator_selection') }} as older
        on newer.community_id = older.community_id
        and newer.indicator_id = older.indicator_id
        and years.year_before = older.reporting_year
),

changes as (
    select
        community_id, indicator_id, reporting_year, year_before, revised_on, rationale,
        'role' as aspect, old_role as old_value, new_role as new_value
    from pairs
    union all
    select
        community_id, indicator_id, reporting_year, year_before, revised_on, rationale,
        'primary' as aspect, cast(old_primary as varchar) as old_value, cast(new_primary as varchar) as new_value
    from pairs
    union all
    select
        community_id, indicator_id, reporting_year, year_before, revised_on, rationale,
        'baseline_year' as aspect,
        cast(old_baseline as varchar) as old_value, cast(new_baseline as varchar) as new_value
    from pairs
)

select
    community_id,
    indicator_id,
    reporting_year,
    aspect,
    year_before,
    old_value,
    new_value,
    revised_on,
    rationale
from changes
where old_value is distinct from new_value
