-- Members of the network.
-- Belongs here: who they are and since when.
-- Does not: what they submitted (fct_submission_status) or the shape of their files (intake).
select community_id, name, state, joined_year, left_year
from {{ ref('stg_network__communities') }}
