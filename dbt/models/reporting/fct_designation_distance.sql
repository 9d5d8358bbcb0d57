-- How far a community is from being eligible: the value the next year must reach for a slope to turn.
-- Belongs here: what the analysis computed, in the columns that lib/analysis/tables declares.
-- Does not: compute, filter or judge anything.
{{ computed_table() }}
