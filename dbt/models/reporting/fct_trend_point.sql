-- Every point that a trend looked at, used or not, with the row of the file it came from.
-- Belongs here: what the analysis computed, in the columns that lib/analysis/tables declares.
-- Does not: compute, filter or judge anything.
{{ expanded_table('trend_point_span') }}
