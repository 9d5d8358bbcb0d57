-- Groups of each dimension under both race schemes, with their codes in public standards.
-- Belongs here: names and types of seed dictionary/groups.
-- Does not: labels as members write them (crosswalks, applied by the intake).
select
    trim(dimension) as dimension,
    trim(group_code) as group_code,
    trim(label) as label,
    trim(scheme) as scheme,
    trim(ceds_code) as ceds_code,
    trim(edfi_code) as edfi_code
from {{ ref('groups') }}
