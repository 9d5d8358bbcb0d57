-- Gaps year by year: both values and how far the group is behind, in every school year in which both are valid, as
-- known in every reporting year.
-- Belongs here: what the analysis computed, in the columns that lib/analysis/tables declares.
-- Does not: compute, filter or judge anything.
{{ computed_table() }}
