-- Connecticut kindergarten entrance inventory by district, with the domain above the levels (2012-13).
-- Belongs here: how the export is recognised; literacy level 3 as rows of indicator_values.
-- Does not: the other five domains (counted as left out); the school year stands in the file's name alone.
--
-- ---
-- id: ct_kindergarten_inventory_two_row
-- version: 1
-- table: indicator_values
-- describes: Connecticut kindergarten entrance inventory by district, with the domain in a row above the levels
-- file_name: '^(?P<school_year>\d{4}-\d{2})_KEI_'
-- header_rows: 2
-- required: [DistrictName, Number of Students Tested]
-- wide:
--   columns: '(?P<domain>[A-Z][A-Za-z/]+) Skills \(%\) / Level (?P<level>[123])'
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
    districtname as geography,
    'community' as geography_level,
    'annual' as period,
    null as participation_rate,
    'Connecticut Kindergarten Entrance Inventory' as data_source,
    null as note
from file
where domain = 'Literacy' and level = '3'
