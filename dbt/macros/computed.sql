{#
  Tables that Python computed, as marts: every column of the declaration in its order and type.
  Belongs here: the one form of models/reporting whose columns are declared in dagster_project/lib/analysis/tables, and
  where the names of the latest year's tables come from.
  Does not: figures or filters; the analysis has applied every rule.
#}

{# The table of this model's name as the analysis wrote it. #}
{% macro computed_table() %}
    {{- adapter.dispatch('computed_table')() -}}
{% endmacro %}

{% macro default__computed_table() %}
select
{%- for column in model.columns.values() %}
    cast({{ adapter.quote(column.name) }} as {{ column.data_type }}) as {{ adapter.quote(column.name) }}
    {%- if not loop.last %},{% endif %}
{%- endfor %}
from {{ source('analysis', model.name) }}
{% endmacro %}

{# The same of a table that the analysis keeps short: a row for every reporting year that a row of `stored` holds for. #}
{% macro expanded_table(stored) %}
    {{- adapter.dispatch('expanded_table')(stored) -}}
{% endmacro %}

{% macro default__expanded_table(stored) %}
select
{%- for column in model.columns.values() %}
    {%- if column.name == 'reporting_year' %}
    {{ every_number('first_reporting_year', 'last_reporting_year') }} as reporting_year
    {%- else %}
    cast({{ adapter.quote(column.name) }} as {{ column.data_type }}) as {{ adapter.quote(column.name) }}
    {%- endif %}
    {%- if not loop.last %},{% endif %}
{%- endfor %}
from {{ source('analysis', stored) }}
{% endmacro %}

{# The rows of table `of` as known in the latest reporting year, with these names beside their ids. #}
{% macro latest_year_with_names(of, names) %}
    {{- adapter.dispatch('latest_year_with_names')(of, names) -}}
{% endmacro %}

{% macro default__latest_year_with_names(of, names) %}
    {%- set sources = {
        'community_name': ('dim_community', 'community_id', 'name'),
        'state': ('dim_community', 'community_id', 'state'),
        'outcome_name': ('dim_outcome', 'outcome_id', 'name'),
        'indicator_name': ('dim_indicator', 'indicator_id', 'name'),
        'unit': ('dim_indicator', 'indicator_id', 'unit'),
        'direction': ('dim_indicator', 'indicator_id', 'direction'),
        'dimension': ('dim_population_group', 'population_group_id', 'dimension'),
        'group_label': ('dim_population_group', 'population_group_id', 'label'),
    } -%}
    {%- set joined = {} -%}
    {%- for name in names if name in sources -%}
        {%- do joined.update({sources[name][0]: sources[name][1]}) -%}
    {%- endfor %}
select
    latest.*
{%- for name in names %},
    {%- if name == 'school_year_date' %}
    {{ end_of_school_year('latest.last_year') }} as {{ name }}
    {%- else %}
    {{ sources[name][0] }}.{{ sources[name][2] }} as {{ name }}
    {%- endif %}
{%- endfor %}
from {{ ref(of) }} as latest
{%- for dimension, key in joined.items() %}
left join {{ ref(dimension) }} as {{ dimension }} on latest.{{ key }} = {{ dimension }}.{{ key }}
{%- endfor %}
where latest.reporting_year in (select reporting_year from {{ ref('dim_reporting_year') }} where is_latest)
{% endmacro %}

{# The day by which charts place a school year: 30 June of the year it ends in; null for none. #}
{% macro end_of_school_year(year) -%}
    cast(cast({{ year }} as varchar) || '-06-30' as date)
{%- endmacro %}
