-- Conservation: what became of an ended place is the whole of it, neither more nor less.
-- Belongs here: one row per ended place whose latest successors do not take over exactly 1.
-- Does not: single lines of the seed (lib/base/seeds/lint.py names them before a run begins).
select community_id, geography_id, sum(weight) as weights
from {{ ref('dim_geography_succession') }}
where is_latest
group by community_id, geography_id
having abs(sum(weight) - 1) > 1e-9
