-- fct_gateway_status as known in the latest reporting year, with names.
-- Belongs here: the latest reporting year only, so that a naive chart adds no years up.
-- Does not: earlier knowledge (fct_gateway_status).
{{ latest_year_with_names('fct_gateway_status', ['community_name', 'state']) }}
