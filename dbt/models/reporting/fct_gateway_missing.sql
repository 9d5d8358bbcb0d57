-- What is missing to the gateway that a community operates in.
-- Belongs here: what the analysis computed, in the columns that lib/analysis/tables declares.
-- Does not: compute, filter or judge anything.
{{ computed_table() }}
