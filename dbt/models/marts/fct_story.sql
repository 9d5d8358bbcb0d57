-- Stories beside the numbers, told only where everyone in them agreed.
-- Belongs here: the text with consent, else the reason why it is withheld; the newest year of a title counts.
-- Does not: any text, title or role without consent, in any column; a story that may name a person, until a reviewer
-- accepted it.
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
),

-- The question is about these very words, so a story that was changed since is asked about and held anew.
held as (
    select distinct
        findings.community_id, findings.reporting_year, findings.source_file,
        coalesce(findings.source_sheet, '') as source_sheet, findings.source_row
    from {{ ref('stg_landing__findings') }} as findings
    left join {{ ref('int_decisions__newest') }} as decisions
        on findings.finding_id = decisions.finding_id and decisions.decision = 'accepted'
    where findings.rule_id = 'story_names_persons' and decisions.finding_id is null
),

numbered as (
    select
        *,
        cast(row_number() over (
            partition by community_id
            order by reporting_year, source_file, source_sheet nulls last, source_row nulls last
        ) as integer) as story_number
    from newest
)

select
    numbered.community_id,
    numbered.story_number,
    numbered.reporting_year,
    case when numbered.consent then numbered.title end as title,
    case when numbered.consent then numbered.text end as text,
    numbered.indicator_id,
    case when numbered.consent then numbered.author_role end as author_role,
    case when numbered.consent then numbered.language end as language,
    coalesce(numbered.consent, false) as consent,
    case
        when numbered.consent then null
        when numbered.consent is null then 'consent_not_stated'
        else 'no_consent'
    end as withheld_reason,
    numbered.submission_id,
    numbered.source_file,
    numbered.source_sheet,
    numbered.source_row
from numbered
left join held
    on numbered.community_id = held.community_id
    and numbered.reporting_year = held.reporting_year
    and numbered.source_file = held.source_file
    and coalesce(numbered.source_sheet, '') = held.source_sheet
    and numbered.source_row = held.source_row
where held.community_id is null
