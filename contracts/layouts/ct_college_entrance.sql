-- Connecticut EdSight, college entrance and persistence by district: one graduating class, all or one kind of group.
-- Belongs here: how the export is recognised; its two rates as rows of indicator_values, two for each line.
-- Does not: the year of enrolment; the year is that of the graduating class, as the export's own note says.
--
-- ---
-- id: ct_college_entrance
-- version: 1
-- table: indicator_values
-- describes: Connecticut EdSight export of college entrance and persistence by district
-- title: '^College Entrance and Persistence, (?P<school_year>\d{4}-\d{2})\nAll Districts\n'
-- required: [District, District Code, Entrance(%), Persistence(%)]
-- optional: [Race/Ethnicity, Gender, Free/Reduced Price Meal Eligibility]
-- at_most_one: [[Race/Ethnicity, Gender, Free/Reduced Price Meal Eligibility]]
-- ---
with rates as (
    select
        *,
        'Entrance(%)' as _column,
        'postsecondary_enrolled_pct' as indicator,
        entrance_pct as rate
    from file
    union all
    select
        *,
        'Persistence(%)' as _column,
        'postsecondary_persistence_pct' as indicator,
        persistence_pct as rate
    from file
)

select
    _file_id,
    _sheet,
    _row,
    _column,
    school_year,
    indicator,
    case
        when race_ethnicity is not null then 'Race/Ethnicity'
        when gender is not null then 'Gender'
        when free_reduced_price_meal_eligibility is not null then 'Free/Reduced Price Meal Eligibility'
        else 'all'
    end as dimension,
    coalesce(race_ethnicity, gender, free_reduced_price_meal_eligibility, 'all') as "group",
    null as numerator,
    null as denominator,
    rate as value,
    'percent' as unit,
    null as series,
    district as geography,
    'community' as geography_level,
    'annual' as period,
    null as participation_rate,
    'Connecticut EdSight' as data_source,
    null as note
from rates
