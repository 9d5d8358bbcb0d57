-- Each gateway of the path, as known in every reporting year: computed status and granted status side by side.
-- Belongs here: what the analysis computed, in the columns that lib/analysis/tables declares.
-- Does not: compute, filter or judge anything.
{{ computed_table() }}
