-- EDFacts public-use file of adjusted cohort graduation rates by school: one school year, groups side by side.
-- Belongs here: how the file is recognised; cohort and rate of each group as one row of indicator_values.
-- Does not: what a range, a bound or PS means (lib/intake/rows/cells.py); a cell '.' is no data and given on as empty.
--
-- ---
-- id: edfacts_graduation_school
-- version: 1
-- table: indicator_values
-- describes: EDFacts adjusted cohort graduation rates by school, public-use file
-- required: [STNAM, FIPST, LEAID, LEANM, NCESSCH, SCHNAM]
-- optional: [DATE_CUR, INSERT_DATE]
-- wide:
--   columns: '(?P<student_group>ALL|MAM|MAS|MBL|MHI|MTR|MWH|CWD|ECD|LEP)_(?P<measure>COHORT|RATE)_(?P<years>\d{4})'
-- ---
select
    _file_id,
    _sheet,
    _row,
    student_group || '_RATE_' || years as _column,
    '20' || years[:2] || '-' || years[3:] as school_year,
    'graduation_4yr_pct' as indicator,
    case
        when student_group = 'ALL' then 'all'
        when student_group = 'CWD' then 'disability'
        when student_group = 'ECD' then 'economic_status'
        when student_group = 'LEP' then 'english_learner'
        else 'race_ethnicity'
    end as dimension,
    case student_group when 'ALL' then 'all' else student_group end as "group",
    null as numerator,
    max(case when measure = 'COHORT' then nullif(_cell, '.') end) as denominator,
    max(case when measure = 'RATE' then nullif(_cell, '.') end) as value,
    'percent' as unit,
    null as series,
    ncessch as geography,
    'school' as geography_level,
    'annual' as period,
    null as participation_rate,
    'EDFacts' as data_source,
    schnam || ', ' || leanm as note
from file
group by _file_id, _sheet, _row, student_group, years, ncessch, schnam, leanm
