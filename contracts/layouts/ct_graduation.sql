-- Connecticut EdSight, four-year graduation rates by district: one school year, all students or one kind of group.
-- Belongs here: how the export is recognised, and its rows as rows of indicator_values.
-- Does not: what a label or a mask means (seeds/crosswalks, seeds/dictionary), or whether a row is right (contracts).
--
-- ---
-- id: ct_graduation
-- version: 1
-- table: indicator_values
-- describes: Connecticut EdSight export of four-year graduation rates by district
-- title: '^Four-Year Graduation Rates, (?P<school_year>\d{4}-\d{2})\nAll Districts, '
-- header_rows: 2
-- required: [District, Four-Year Cohort Count, Graduates / Graduation Count, Graduates / Graduation Rate]
-- optional: [District Code, Race/Ethnicity, Gender, Free/Reduced Price Meal Eligibility]
-- at_most_one: [[Race/Ethnicity, Gender, Free/Reduced Price Meal Eligibility]]
-- ---
select
    _file_id,
    _sheet,
    _row,
    'Graduation Rate' as _column,
    school_year,
    'graduation_4yr_pct' as indicator,
    case
        when race_ethnicity is not null then 'Race/Ethnicity'
        when gender is not null then 'Gender'
        when free_reduced_price_meal_eligibility is not null then 'Free/Reduced Price Meal Eligibility'
        else 'all'
    end as dimension,
    coalesce(race_ethnicity, gender, free_reduced_price_meal_eligibility, 'all') as "group",
    graduates_graduation_count as numerator,
    four_year_cohort_count as denominator,
    graduates_graduation_rate as value,
    'percent' as unit,
    null as series,
    district as geography,
    'community' as geography_level,
    'annual' as period,
    null as participation_rate,
    'Connecticut EdSight' as data_source,
    null as note
from file
