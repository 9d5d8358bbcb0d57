-- Parameters of every ruleset version.
-- Belongs here: names and types of seed rulesets/ruleset_parameters.
-- Does not: choose the version in force (int_parameters__in_force).
select
    trim(ruleset_id) as ruleset_id,
    trim(cast(ruleset_version as varchar)) as ruleset_version,
    trim(parameter) as parameter,
    trim(cast(value as varchar)) as value
from {{ ref('ruleset_parameters') }}
