-- Where a community stands on the path of gateways, as known in every reporting year.
-- Belongs here: computed status and granted status of each gateway side by side.
-- Does not: designations (fct_designation).
select
    community_id::varchar as community_id,
    reporting_year::integer as reporting_year,
    operating_in::varchar as operating_in,
    gateways_met::integer as gateways_met,
    gateways_granted::integer as gateways_granted,
    exploring_status::varchar as exploring_status,
    exploring_granted::boolean as exploring_granted,
    exploring_not_met::integer as exploring_not_met,
    exploring_undetermined::integer as exploring_undetermined,
    emerging_status::varchar as emerging_status,
    emerging_granted::boolean as emerging_granted,
    emerging_not_met::integer as emerging_not_met,
    emerging_undetermined::integer as emerging_undetermined,
    sustaining_status::varchar as sustaining_status,
    sustaining_granted::boolean as sustaining_granted,
    sustaining_not_met::integer as sustaining_not_met,
    sustaining_undetermined::integer as sustaining_undetermined,
    systems_change_status::varchar as systems_change_status,
    systems_change_granted::boolean as systems_change_granted,
    systems_change_not_met::integer as systems_change_not_met,
    systems_change_undetermined::integer as systems_change_undetermined,
    systems_transformation_status::varchar as systems_transformation_status,
    systems_transformation_granted::boolean as systems_transformation_granted,
    systems_transformation_not_met::integer as systems_transformation_not_met,
    systems_transformation_undetermined::integer as systems_transformation_undetermined,
    ruleset_version::varchar as ruleset_version
from {{ source('analysis', 'fct_gateway_status') }}
