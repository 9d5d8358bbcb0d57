-- Connecticut EdSight, chronic absence by district from 2018-19 on: how many students, and the rate.
-- Belongs here: how the export is recognised, and its rows as rows of indicator_values.
-- Does not: a denominator, which the export does not print; it is not computed back from a rounded rate.
--
-- ---
-- id: ct_chronic_absence_counts
-- version: 1
-- table: indicator_values
-- describes: Connecticut EdSight export of chronic absence by district, count and rate
-- title: '^Chronic Absenteeism, (?P<school_year>\d{4}-\d{2})\nAll Districts, '
-- header_rows: 2
-- required: [District, District Code, Chronically Absent / Student Count, Chronically Absent / %]
-- optional: [Race/Ethnicity, Gender, Free/Reduced Price Meal Eligibility]
-- at_most_one: [[Race/Ethnicity, Gender, Free/Reduced Price Meal Eligibility]]
-- ---
select
    _file_id,
    _sheet,
    _row,
    '%' as _column,
    school_year,
    'chronic_absence_pct' as indicator,
    case
        when race_ethnicity is not null then 'Race/Ethnicity'
        when gender is not null then 'Gender'
        when free_reduced_price_meal_eligibility is not null then 'Free/Reduced Price Meal Eligibility'
        else 'all'
    end as dimension,
    coalesce(race_ethnicity, gender, free_reduced_price_meal_eligibility, 'all') as "group",
    chronically_absent_student_count as numerator,
    null as denominator,
    chronically_absent_pct as value,
    'percent' as unit,
    null as series,
    district as geography,
    'community' as geography_level,
    'annual' as period,
    null as participation_rate,
    'Connecticut EdSight' as data_source,
    null as note
from file
