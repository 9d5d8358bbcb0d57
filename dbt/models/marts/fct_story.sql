-- Stories beside the numbers, told only where everyone in them agreed.
-- Belongs here: the text with consent, else the reason why it is withheld; the newest year of a title counts.
-- Does not: any text, title or role without consent, in any column.
with ranked as (
    select
        *,
        row_number() over (
            partition by community_id, title
            order by reporting_year desc nulls last, source_file, source_sheet nulls last, source_row nulls last
        ) as telling_no
    from {{ ref('stg_landing__stories') }}
),

newest as (
    select * from ranked where telling_no = 1
)

select
    community_id,
    cast(row_number() over (
        partition by community_id order by reporting_year, source_file, source_sheet nulls last, source_row nulls last
    ) as integer) as story_number,
    reporting_year,
    case when consent then title end as title,
    case when consent then text end as text,
    indicator_id,
    case when consent then author_role end as author_role,
    coalesce(consent, false) as consent,
    case when consent then null when consent is null then 'consent_not_stated' else 'no_consent' end as withheld_reason,
    submission_id,
    source_file,
    source_sheet,
    source_row
from newest
