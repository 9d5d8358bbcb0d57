-- Rows that passed every check: at most one per key and reporting year.
-- Belongs here: the one filter on row_status that figures are made from.
-- Does not: rows that wait, were rejected or repeat another (fct_waiting_row, fct_finding).
select * exclude (row_status, row_reason, raw_indicator, raw_dimension, raw_group, raw_geography, raw_series)
from {{ ref('stg_landing__observations') }}
where row_status = 'accepted'
