-- Dimensions that values are broken down by, and the reference group of those that have one.
-- Belongs here: names and types of seed dictionary/dimensions.
-- Does not: a community's own burdened and reference groups (a submitted register).
select
    trim(dimension) as dimension,
    trim(label) as label,
    trim(kind) as kind,
    trim(geography_level) as geography_level,
    trim(reference_group) as reference_group
from {{ ref('dimensions') }}
