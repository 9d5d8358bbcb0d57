-- Parameters of the ruleset version that this run decides by.
-- Belongs here: the choice of the version.
-- Does not: defaults; a parameter that is missing fails the test every_parameter_a_model_reads_is_set.
select
    parameters.parameter,
    parameters.value,
    parameters.ruleset_id,
    parameters.ruleset_version
from {{ ref('stg_rulesets__parameters') }} as parameters
inner join {{ ref('stg_landing__run_context') }} using (ruleset_id, ruleset_version)
