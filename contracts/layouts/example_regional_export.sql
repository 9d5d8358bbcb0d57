-- The example network's regional exchange: codes for measures and groups, thousands in counts, percent signs in rates.
-- Belongs here: how the export is recognised, with and without its title line; its rows as rows of indicator_values.
-- Does not: what a code means (seeds/crosswalks, scope layout); the form is described in examples/formats.md.
--
-- ---
-- id: example_regional_export
-- version: 1
-- table: indicator_values
-- describes: example regional exchange with codes for measures and groups
-- required: [Année, Metric, Libellé, Breakout, Breakout Code, Reached, Counted, Rate pct, Essai]
-- ---
select
    _file_id,
    _sheet,
    _row,
    'Rate pct' as _column,
    année as school_year,
    metric as indicator,
    breakout as dimension,
    breakout_code as "group",
    reached as numerator,
    counted as denominator,
    rate_pct as value,
    'percent' as unit,
    essai as series,
    null as geography,
    null as geography_level,
    'annual' as period,
    null as participation_rate,
    'Regional exchange' as data_source,
    null as note
from file
