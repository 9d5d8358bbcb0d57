{#
  How a seed file becomes a table, whatever columns another network's file brings.
  Belongs here: the loading of seeds, and reading of columns that a file may lack.
  Does not: describe a seed's columns (seeds/_seeds.yml), or give values their types (staging models).
#}

{#
  A seed as a table of text, read by DuckDB itself. dbt's own materialization must not run here: it writes its SQL to
  target/run joined with the file's path, and where the seeds folder is given as an absolute path that is the CSV itself.
  Text, because guessed types would turn community 007 into 7; the quote is stated, because a sniffer takes the
  apostrophe of a place name for one.
#}
{% materialization seed, adapter='duckdb' %}
    {%- set relation = this.incorporate(type='table') -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- set path = adapter.get_seed_file_path(model) | replace("'", "''") -%}
    {# Not named `main`: a statement of that name is written to a file. #}
    {%- call statement('load') -%}
        create or replace table {{ relation }} as
        select * from read_csv(
            '{{ path }}', header = true, all_varchar = true, delim = ',', quote = '"', escape = '"',
            skip = 0, comment = '', hive_partitioning = false
        )
    {%- endcall -%}
    {%- do store_raw_result('main', message='LOAD', code='LOAD', rows_affected='-1') -%}
    {# dbt asks for the rows it would have shown; there are none to show. #}
    {%- do store_raw_result('agate_table', message='OK') -%}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {%- do persist_docs(relation, model) -%}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [relation]}) }}
{% endmaterialization %}

{#
  The same on Spark: text, an empty field is null, quoted or not. Every worker reads the file, so that it lies on storage
  that all of them reach.
#}
{% materialization seed, adapter='spark' %}
    {%- set relation = this.incorporate(type='table') -%}
    {{ run_hooks(pre_hooks) }}
    {%- set file = model.original_file_path -%}
    {%- set whole = file if file.startswith('/') else model.root_path ~ '/' ~ file -%}
    {%- set path = whole | replace("\\", "\\\\") | replace("'", "\\'") -%}
    {%- set read = 'seed_' ~ model.name -%}
    {%- call statement('view') -%}
        create or replace temporary view {{ read }} using csv options (
            path '{{ path }}', header 'true', inferSchema 'false', multiLine 'true', quote '"', escape '"',
            nullValue '', emptyValue '', ignoreLeadingWhiteSpace 'false', ignoreTrailingWhiteSpace 'false'
        )
    {%- endcall -%}
    {%- call statement('drop') -%} drop table if exists {{ relation }} {%- endcall -%}
    {%- call statement('load') -%} create table {{ relation }} as select * from {{ read }} {%- endcall -%}
    {%- do store_raw_result('main', message='LOAD', code='LOAD', rows_affected='-1') -%}
    {%- do store_raw_result('agate_table', message='OK') -%}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [relation]}) }}
{% endmaterialization %}

{# The column of that name, or a typed null where the relation has none. #}
{% macro optional_column(relation, name, type) -%}
    {%- set found = [] -%}
    {%- if execute -%}
        {%- for column in adapter.get_columns_in_relation(relation) if column.name | lower == name -%}
            {%- do found.append(column.name) -%}
        {%- endfor -%}
    {%- endif -%}
    try_cast({{ 'trim(' ~ adapter.quote(found[0]) ~ ')' if found else 'null' }} as {{ type }})
{%- endmacro %}
