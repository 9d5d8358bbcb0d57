{#
  How a model becomes a table or a view of the embedded engine.
  Belongs here: replacing one relation by what its model gives now. Does not: seeds (seeds.sql), other engines.

  In place of the adapter's own, which builds beside the old relation, renames both and drops the old one. DuckDB puts
  the drop and what follows into one transaction: a model that fails leaves what was. Contracts are held by the adapter's
  `create` macros as before. No model has a hook, an index, a grant or documentation to be written; one that has is
  refused, since nothing here would heed it.
#}
{% materialization table, adapter='duckdb' %}
    {%- set relation = this.incorporate(type='table') -%}
    {%- do drop_what_was(this) -%}
    {%- call statement('main') -%} {{ create_table_as(False, relation, compiled_code) }} {%- endcall -%}
    {{ adapter.commit() }}
    {{ return({'relations': [relation]}) }}
{% endmaterialization %}

{% materialization view, adapter='duckdb' %}
    {%- set relation = this.incorporate(type='view') -%}
    {%- do drop_what_was(this) -%}
    {%- call statement('main') -%} {{ create_view_as(relation, compiled_code) }} {%- endcall -%}
    {{ adapter.commit() }}
    {{ return({'relations': [relation]}) }}
{% endmaterialization %}

{% macro drop_what_was(relation) -%}
    {%- set unheeded = [] -%}
    {%- for name, stated in [
        ('a hook', pre_hooks or post_hooks), ('indexes', config.get('indexes')), ('grants', config.get('grants')),
        ('persist_docs', config.get('persist_docs')),
    ] if stated -%}
        {%- do unheeded.append(name) -%}
    {%- endfor -%}
    {%- if unheeded -%}
        {%- do exceptions.raise_compiler_error(
            model.name ~ ' states ' ~ unheeded | join(', ') ~ ', which dbt/macros/materializations.sql does not heed'
        ) -%}
    {%- endif -%}
    {%- set was = load_cached_relation(relation) -%}
    {%- if was is not none -%}
        {# Not by the adapter, whose own statement is done before the transaction begins that the rest is in. #}
        {%- call statement('drop') -%} drop {{ was.type }} {{ was }} {%- endcall -%}
    {%- endif -%}
{%- endmacro %}
