-- Outcomes over the whole network.
-- Belongs here: how many communities stand where.
-- Does not: name or rank communities.
select
    outcome_id::varchar as outcome_id,
    reporting_year::integer as reporting_year,
    n_communities::integer as n_communities,
    n_improving::integer as n_improving,
    n_maintained::integer as n_maintained,
    n_declining::integer as n_declining,
    n_mixed::integer as n_mixed,
    n_undetermined::integer as n_undetermined,
    n_gap_met::integer as n_gap_met,
    n_gap_not_met::integer as n_gap_not_met,
    n_gap_undetermined::integer as n_gap_undetermined,
    share_improving::double as share_improving,
    share_gap_reduced::double as share_gap_reduced,
    ruleset_version::varchar as ruleset_version
from {{ source('analysis', 'fct_network_outcome') }}
