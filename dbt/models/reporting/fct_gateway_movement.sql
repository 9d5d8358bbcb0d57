-- Where communities stood in two reporting years that follow each other, and which way they moved.
-- Belongs here: one row per community and reporting year that has one before it.
-- Does not: why they moved (fct_criterion_status), or granted standings (fct_gateway_step).
with standings as (
    select
        community_id,
        reporting_year,
        operating_in,
        gateways_met,
        lag(reporting_year) over one as year_before,
        lag(operating_in) over one as operated_in,
        lag(gateways_met) over one as gateways_met_before,
        ruleset_version
    from {{ ref('fct_gateway_status') }}
    window one as (partition by community_id order by reporting_year)
)

select
    community_id,
    reporting_year,
    operating_in,
    gateways_met,
    operated_in,
    gateways_met_before,
    case
        when gateways_met > gateways_met_before then 'forward'
        when gateways_met < gateways_met_before then 'back'
        else 'stayed'
    end as movement,
    ruleset_version
from standings
where year_before = reporting_year - 1
