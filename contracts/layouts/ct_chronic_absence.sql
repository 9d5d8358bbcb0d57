-- Connecticut EdSight, chronic absence by district up to 2017-18: the rate alone.
-- Belongs here: how the export is recognised, and its rows as rows of indicator_values.
-- Does not: the form from 2018-19 on, which has counts (ct_chronic_absence_counts), or what a label means (crosswalks).
--
-- ---
-- id: ct_chronic_absence
-- version: 1
-- table: indicator_values
-- describes: Connecticut EdSight export of chronic absence by district, rate only
-- title: '^Chronic Absenteeism, (?P<school_year>\d{4}-\d{2})\n'
-- required: [District, District Code, '% Chronically Absent']
-- optional: [Race/Ethnicity, Gender, Free/Reduced Price Meal Eligibility]
-- at_most_one: [[Race/Ethnicity, Gender, Free/Reduced Price Meal Eligibility]]
-- ---
select
    _file_id,
    _sheet,
    _row,
    '% Chronically Absent' as _column,
    school_year,
    'chronic_absence_pct' as indicator,
    case
        when race_ethnicity is not null then 'Race/Ethnicity'
        when gender is not null then 'Gender'
        when free_reduced_price_meal_eligibility is not null then 'Free/Reduced Price Meal Eligibility'
        else 'all'
    end as dimension,
    coalesce(race_ethnicity, gender, free_reduced_price_meal_eligibility, 'all') as "group",
    null as numerator,
    null as denominator,
    pct_chronically_absent as value,
    'percent' as unit,
    null as series,
    district as geography,
    'community' as geography_level,
    'annual' as period,
    null as participation_rate,
    'Connecticut EdSight' as data_source,
    null as note
from file
