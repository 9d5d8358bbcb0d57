-- Gaps: each group against the reference group of its dimension, as known in every reporting year.
-- Belongs here: what the analysis computed, in the columns that lib/analysis/tables declares.
-- Does not: compute, filter or judge anything.
{{ computed_table() }}
