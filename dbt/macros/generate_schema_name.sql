{#
  Schema names as written: staging, intermediate, marts, seeds.
  Belongs here: the one override of dbt's naming.
  Does not: choose a schema for a model (dbt_project.yml).
#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name | trim if custom_schema_name else target.schema }}
{%- endmacro %}
