-- Every word that a status, kind or reason of the marts may hold, in plain English.
-- Belongs here: one row per vocabulary and word, with label, meaning, order and colour for charts.
-- Does not: give a status to anything, or govern codes of indicators, groups and places (their own dimensions).
select domain, status, label, meaning, order_no, color, public_only
from {{ ref('stg_dictionary__statuses') }}
