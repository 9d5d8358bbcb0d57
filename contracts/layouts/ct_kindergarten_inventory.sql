-- Connecticut kindergarten entrance inventory by district, with a school year column (2008-09 to 2011-12).
-- Belongs here: how the export is recognised; literacy level 3 as rows of indicator_values.
-- Does not: the other five domains, which are no indicators of the network (they are counted as left out).
--
-- ---
-- id: ct_kindergarten_inventory
-- version: 1
-- table: indicator_values
-- describes: Connecticut kindergarten entrance inventory by district, with a column for the school year
-- required: [District ID, District Name, School Year, Number of Students Tested]
-- wide:
--   columns: '(?P<domain>[A-Z][A-Za-z/]+) Skills \(%\) Level (?P<level>[123])'
-- skip: '^(Statewide|State)$'
-- ---
select
    _file_id,
    _sheet,
    _row,
    _column,
    school_year,
    'kindergarten_ready_pct' as indicator,
    'all' as dimension,
    'all' as "group",
    null as numerator,
    number_of_students_tested as denominator,
    _cell as value,
    'percent' as unit,
    'kei 2007 form' as series,
    district_name as geography,
    'community' as geography_level,
    'annual' as period,
    null as participation_rate,
    'Connecticut Kindergarten Entrance Inventory' as data_source,
    null as note
from file
where domain = 'Literacy' and level = '3' and district_id <> ''
