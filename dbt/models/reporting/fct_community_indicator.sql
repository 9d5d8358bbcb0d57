-- The community's own selection of indicators, as known in every reporting year.
-- Belongs here: what the analysis computed, in the columns that lib/analysis/tables declares.
-- Does not: compute, filter or judge anything.
{{ computed_table() }}
