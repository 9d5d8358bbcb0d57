-- Connecticut EdSight, Smarter Balanced results by district: all grades, both subjects, all students or race groups.
-- Belongs here: how the export is recognised; grade 3 ELA and grade 8 mathematics as rows of indicator_values.
-- Does not: the other grades and subjects, which are no indicators of the network (they are counted as left out).
--
-- ---
-- id: ct_smarter_balanced
-- version: 1
-- table: indicator_values
-- describes: Connecticut EdSight export of Smarter Balanced results by district, all grades
-- title: '^Smarter Balanced Assessments, (?P<school_year>\d{4}-\d{2})\nAll Districts, ELA and Math, All Grades, '
-- header_rows: 2
-- required:
--   - District
--   - District Code
--   - Grade
--   - Subject
--   - Total Numberof Students
--   - Total NumberTested
--   - Smarter BalancedParticipationRate
--   - Total Number with Scored Tests
--   - Level 1Not Met / Level 1 Not Met Count
--   - Level 1Not Met / %
--   - Level 2Approaching / Level 2 Approaching Count
--   - Level 2Approaching / %
--   - Level 3Met / Level 3 Met Count
--   - Level 3Met / %
--   - Level 4Exceeded / Level 4 Exceeded Count
--   - Level 4Exceeded / %
--   - Level 3&4Met or Exceeded / Level 3&4 Met or Exceeded Count
--   - Level 3&4Met or Exceeded / %
--   - Level 3&4Met or Exceeded / AverageVSS
-- optional: [Race]
-- decides:
--   Grade: ['3', '4', '5', '6', '7', '8', '11', All Grades]
--   Subject: [ELA, Math]
-- ---
select
    _file_id,
    _sheet,
    _row,
    'Level 3&4 Met or Exceeded %' as _column,
    school_year,
    case plain(subject)
        when 'ela' then 'grade3_reading_proficient_pct' else 'grade8_math_proficient_pct'
    end as indicator,
    case when race is not null then 'Race/Ethnicity' else 'all' end as dimension,
    coalesce(race, 'all') as "group",
    level_3_4met_or_exceeded_level_3_4_met_or_exceeded_count as numerator,
    total_number_with_scored_tests as denominator,
    level_3_4met_or_exceeded_pct as value,
    'percent' as unit,
    'smarter balanced' as series,
    district as geography,
    'community' as geography_level,
    'annual' as period,
    -- Masked with the counts; the value's own mask says why there is none.
    replace(smarter_balancedparticipationrate, '*', '') as participation_rate,
    'Connecticut EdSight' as data_source,
    null as note
from file
where (plain(grade) = '3' and plain(subject) = 'ela') or (plain(grade) = '8' and plain(subject) = 'math')
