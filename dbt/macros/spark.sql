{#
  What dbt's adapter for Spark needs, so that the models of this project build there as they stand.
  Belongs here: one word of types, said where SQL leaves dbt; dispatched, so that no other engine sees any of it.
  Does not: forms that engines spell differently within a model (dialect.sql), or the loading of seeds (seeds.sql).
#}

{# SQL in Spark's words: text of any length is `string` there, and `varchar` without a length is no type. #}
{% macro in_sparks_words(sql) -%}
    {{ modules.re.sub('(?i)\\b(\\w+)\\[\\]', 'array<\\1>', modules.re.sub('(?i)\\bvarchar\\b', 'string', sql)) }}
{%- endmacro %}

{% macro spark__create_table_as(temporary, relation, compiled_code, language='sql') -%}
    {{ dbt.spark__create_table_as(temporary, relation, in_sparks_words(compiled_code), language) }}
{%- endmacro %}

{% macro spark__create_view_as(relation, sql) -%}
    {{ dbt.spark__create_view_as(relation, in_sparks_words(sql)) }}
{%- endmacro %}

{% macro spark__get_test_sql(main_sql, fail_calc, warn_if, error_if, limit) -%}
    {{ dbt.default__get_test_sql(in_sparks_words(main_sql), fail_calc, warn_if, error_if, limit) }}
{%- endmacro %}

{% macro spark__get_unit_test_sql(main_sql, expected_fixture_sql, expected_column_names) -%}
    {{ in_sparks_words(dbt.default__get_unit_test_sql(main_sql, expected_fixture_sql, expected_column_names)) }}
{%- endmacro %}

{# The declared columns of a contract, as an empty row set of their types. #}
{% macro spark__get_empty_schema_sql(columns) -%}
    {{ in_sparks_words(dbt.default__get_empty_schema_sql(columns)) }}
{%- endmacro %}

{# Parquet tables hold no constraint there, so that what a contract declares as not null is counted after the build. #}
{% macro spark__persist_constraints(relation, model) -%}
    {%- set needed = [] -%}
    {%- for column in model.columns.values() -%}
        {%- for constraint in column.constraints if constraint.type == 'not_null' -%}
            {%- do needed.append(adapter.quote(column.name)) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- if needed -%}
        {%- set found = run_query(
            'select count(*) from ' ~ relation ~ ' where ' ~ (needed | join(' is null or ')) ~ ' is null'
        ) -%}
        {%- if found.rows[0][0] -%}
            {{ exceptions.raise_compiler_error(found.rows[0][0] ~ ' rows lack one of ' ~ (needed | join(', '))) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
