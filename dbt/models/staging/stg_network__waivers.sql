-- Community-years that the network waived, with reason and approver.
-- Belongs here: names and types of seed network/waivers.
-- Does not: drop lines of communities outside the network (the join in int_community_years__expected does).
select
    trim(community_id) as community_id,
    cast(reporting_year as integer) as reporting_year,
    trim(reason) as reason,
    trim(approver) as approver
from {{ ref('waivers') }}
