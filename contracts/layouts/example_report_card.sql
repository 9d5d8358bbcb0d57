-- The example network's state report card: one school year in the title, a two-row header, masked cells.
-- Belongs here: how the export is recognised, and its rows as rows of indicator_values.
-- Does not: what a label means (seeds/crosswalks); the form is described in examples/formats.md.
--
-- ---
-- id: example_report_card
-- version: 1
-- table: indicator_values
-- describes: example state report card export
-- title: '^State Report Card Export School Year (?P<school_year>\d{4}-\d{2})\n'
-- header_rows: 2
-- required:
--   - Measure
--   - Category
--   - Student Group
--   - Students / Total N
--   - Students / Participation Rate
--   - Met Standard / Count
--   - Met Standard / Percent
--   - Met Standard / Instrument
-- ---
select
    _file_id,
    _sheet,
    _row,
    'Percent' as _column,
    school_year,
    measure as indicator,
    category as dimension,
    student_group as "group",
    met_standard_count as numerator,
    students_total_n as denominator,
    met_standard_percent as value,
    'percent' as unit,
    met_standard_instrument as series,
    null as geography,
    null as geography_level,
    'annual' as period,
    students_participation_rate as participation_rate,
    'State report card' as data_source,
    null as note
from file
