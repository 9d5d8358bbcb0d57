-- fct_designation as known in the latest reporting year, with names.
-- Belongs here: the latest reporting year only, so that a naive chart adds no years up.
-- Does not: earlier knowledge (fct_designation).
{{ latest_year_with_names('fct_designation', ['community_name', 'state']) }}
