-- Kentucky School Report Card, college and career readiness of graduates by district, year and student group.
-- Belongs here: how the table is recognised; ready graduates over graduates as rows of indicator_values.
-- Does not: the split into college and career; the state's own line and overlapping groups (counted as left out).
--
-- ---
-- id: ky_readiness
-- version: 1
-- table: indicator_values
-- describes: Kentucky School Report Card, college and career readiness by district and student group
-- required:
--   - sch_id
--   - dist_name
--   - year
--   - student_group
--   - n_grads
--   - college_ready
--   - career_ready
--   - ccr_total
--   - ccr_pct
-- optional: [college_ready_pct, career_ready_pct]
-- ---
select
    _file_id,
    _sheet,
    _row,
    'ccr_pct' as _column,
    year as school_year,
    'College and Career Readiness' as indicator,
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
    regexp_replace(ccr_total, '\.0$', '') as numerator,
    regexp_replace(n_grads, '\.0$', '') as denominator,
    ccr_pct as value,
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
