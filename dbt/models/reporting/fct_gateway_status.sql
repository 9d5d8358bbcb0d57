-- Where a community stands on the path of gateways, as known in every reporting year.
-- Belongs here: what the analysis computed, in the columns that lib/analysis/tables declares.
-- Does not: compute, filter or judge anything.
{{ computed_table() }}
