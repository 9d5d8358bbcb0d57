-- What the community does: examples of change, measures of its actions, causes it has found, as known in every
-- reporting year.
-- Belongs here: what the analysis computed, in the columns that lib/analysis/tables declares.
-- Does not: compute, filter or judge anything.
{{ computed_table() }}
