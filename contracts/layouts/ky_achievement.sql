-- Kentucky School Report Card, achievement by district, year, grade, subject and student group, with n and rates.
-- Belongs here: how the table is recognised; grade 3 reading and grade 8 mathematics as rows of indicator_values.
-- Does not: other grades and overlapping groups (counted as left out); the regional co-operatives' rows stay in.
--
-- ---
-- id: ky_achievement
-- version: 1
-- table: indicator_values
-- describes: Kentucky School Report Card, achievement by district and student group
-- required:
--   - sch_id
--   - dist_name
--   - year
--   - grade
--   - subject
--   - student_group
--   - n_tested
--   - novice_pct
--   - apprentice_pct
--   - proficient_pct
--   - distinguished_pct
--   - prof_dist_pct
-- optional: [bonus_pct, napd_calc, perf_index]
-- decides:
--   grade: ['3', '4', '5', '6', '7', '8', '10', '11']
--   subject: [Reading, Mathematics, Science, Social Studies, Writing, On-Demand Writing, Language Mechanics]
-- ---
select
    _file_id,
    _sheet,
    _row,
    'prof_dist_pct' as _column,
    year as school_year,
    case plain(subject)
        when 'reading' then 'grade3_reading_proficient_pct' else 'grade8_math_proficient_pct'
    end as indicator,
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
    regexp_replace(n_tested, '\.0$', '') as denominator,
    prof_dist_pct as value,
    'fraction' as unit,
    'k-prep' as series,
    dist_name as geography,
    'district' as geography_level,
    'annual' as period,
    null as participation_rate,
    'Kentucky School Report Card' as data_source,
    'district ' || sch_id as note
from file
where
    ((plain(grade) = '3' and plain(subject) = 'reading') or (plain(grade) = '8' and plain(subject) = 'mathematics'))
    and plain(sch_id) <> '999'
    and plain(student_group) not in (
        'gap group (non-duplicated)',
        'gap',
        'gifted/talented',
        'disability-with iep (not including alternate)',
        'disability-with accommodation (not including alternate)',
        'disability-alternate only'
    )
