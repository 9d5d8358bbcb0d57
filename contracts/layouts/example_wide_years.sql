-- The example network's trend table: one line for a result and group, one column for each of up to five school years.
-- Belongs here: how the export is recognised; each filled year cell as one row of indicator_values.
-- Does not: empty cells, which belong to another instrument's line; the form is described in examples/formats.md.
--
-- ---
-- id: example_wide_years
-- version: 1
-- table: indicator_values
-- describes: example trend table with a column for each school year
-- required: [Result Area, Breakdown, Subgroup, Instrument]
-- wide:
--   columns: '(?P<school_year>\d{4}-\d{2})'
-- ---
select
    _file_id,
    _sheet,
    _row,
    _column,
    school_year,
    result_area as indicator,
    breakdown as dimension,
    subgroup as "group",
    null as numerator,
    null as denominator,
    _cell as value,
    'percent' as unit,
    instrument as series,
    null as geography,
    null as geography_level,
    'annual' as period,
    null as participation_rate,
    'State trend table' as data_source,
    null as note
from file
where _cell <> ''
