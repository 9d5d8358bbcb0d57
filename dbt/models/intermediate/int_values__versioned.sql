-- Every accepted value with the reporting years it was the effective one in: "what did we know in 2019".
-- Belongs here: newest reporting year wins for one key, masked or not (RULES 1).
-- Does not: values made from districts (int_values__pooled), or the choice of valid points (analysis).
{{ config(materialized='table') }}

select
    *,
    reporting_year as known_from,
    coalesce(lead(reporting_year) over later - 1, {{ var('end_of_time') }}) as known_to
from {{ ref('int_observations__accepted') }}
window later as (
    partition by community_id, indicator_id, series, geography_id, population_group_id, school_year, period
    order by reporting_year
)
