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
-- ---
select
    _file_id,
    _sheet,
    _row,
    'prof_dist_pct' as _column,
    year as school_year,
    case subject when 'Reading' then 'grade3_reading_proficient_pct' else 'grade8_math_proficient_pct' end as indicator,
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
    ((grade = '3' and subject = 'Reading') or (grade = '8' and subject = 'Mathematics'))
    and sch_id <> '999'
    and student_group not in (
        'Gap Group (non-duplicated)',
        'GAP',
        'Gifted/Talented',
        'Disability-With IEP (not including Alternate)',
        'Disability-With Accommodation (not including Alternate)',
        'Disability-Alternate Only'
    )
