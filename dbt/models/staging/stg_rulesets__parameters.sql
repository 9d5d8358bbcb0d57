-- Parameters of every ruleset version.
-- Belongs here: names and types of seed rulesets/ruleset_parameters.
-- Does not: choose the version in force (int_parameters__in_force).
select
    trim(ruleset_id) as ruleset_id,
    trim(ruleset_version::varchar) as ruleset_version,
    trim(parameter) as parameter,
    trim(value::varchar) as value
from {{ ref('ruleset_parameters') }}
