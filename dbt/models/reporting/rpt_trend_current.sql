-- fct_trend as known in the latest reporting year, with names.
-- Belongs here: the latest reporting year only, so that a naive chart adds no years up.
-- Does not: earlier knowledge (fct_trend).
{{ latest_year_with_names(
    'fct_trend',
    [
        'community_name', 'state', 'outcome_name', 'indicator_name', 'unit', 'direction', 'dimension', 'group_label',
        'school_year_date'
    ]
) }}
