-- Kentucky School Report Card, four-year graduation rate by district, year and student group, without n.
-- Belongs here: how the table is recognised, and its rows as rows of indicator_values.
-- Does not: the state's own line and overlapping groups (counted as left out); the co-operatives' rows stay in.
--
-- ---
-- id: ky_graduation
-- version: 1
-- table: indicator_values
-- describes: Kentucky School Report Card, graduation rate by district and student group
-- required: [sch_id, dist_name, student_group, year, grad_rate]
-- ---
select
    _file_id,
    _sheet,
    _row,
    'grad_rate' as _column,
    year as school_year,
    'graduation_4yr_pct' as indicator,
    case
        when plain(student_group) = 'all students' then 'all'
        when plain(student_group) in ('male', 'female') then 'gender'
        when plain(student_group) in ('limited english proficiency', 'english learners') then 'english_learner'
        when plain(student_group) = 'free/reduced-price meals' then 'economic_status'
        when plain(student_group) = 'disability-with iep (total)' then 'disability'
        when plain(student_group) = 'homeless' then 'homeless'
        when plain(student_group) = 'migrant' then 'migrant'
        else 'race_ethnicity'
    end as dimension,
    case plain(student_group) when 'all students' then 'all' else student_group end as "group",
    null as numerator,
    null as denominator,
    grad_rate as value,
    'fraction' as unit,
    null as series,
    dist_name as geography,
    'district' as geography_level,
    'annual' as period,
    null as participation_rate,
    'Kentucky School Report Card' as data_source,
    'district ' || sch_id as note
from file
where
    plain(sch_id) <> '999'
    and plain(student_group) not in (
        'gap group (non-duplicated)',
        'gap',
        'gifted/talented',
        'disability-with iep (not including alternate)',
        'disability-with accommodation (not including alternate)',
        'disability-alternate only'
    )
