-- Days on which communities looked at the figures, and how they read them.
-- Belongs here: names and types of landing table register_community_reviews.
-- Does not: choose among years.
select
    cast(community_id as varchar) as community_id,
    cast(reporting_year as integer) as reporting_year,
    cast(day as date) as reviewed_on,
    cast(body as varchar) as body,
    cast(reading as varchar) as reading
from {{ source('landing', 'register_community_reviews') }}
