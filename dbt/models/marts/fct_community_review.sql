-- When a community looked at the figures of a reporting year, and how it reads them.
-- Belongs here: one row per community, reporting year, day and body.
-- Does not: whether a release may be final (its states), or a judgement of the reading.
select community_id, reporting_year, reviewed_on, body, reading
from {{ ref('stg_landing__community_reviews') }}
