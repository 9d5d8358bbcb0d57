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
        when student_group = 'All Students' then 'all'
        when student_group in ('Male', 'Female') then 'gender'
        when student_group in ('Limited English Proficiency', 'English Learners') then 'english_learner'
        when student_group = 'Free/Reduced-Price Meals' then 'economic_status'
        when student_group = 'Disability-With IEP (Total)' then 'disability'
        when student_group = 'Homeless' then 'homeless'
        when student_group = 'Migrant' then 'migrant'
        else 'race_ethnicity'
    end as dimension,
    case student_group when 'All Students' then 'all' else student_group end as "group",
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
    sch_id <> '999'
    and student_group not in (
        'Gap Group (non-duplicated)',
        'GAP',
        'Gifted/Talented',
        'Disability-With IEP (not including Alternate)',
        'Disability-With Accommodation (not including Alternate)',
        'Disability-Alternate Only'
    )
