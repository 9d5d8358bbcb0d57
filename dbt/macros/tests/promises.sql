{#
  Generic test: what a table promises of its rows, all of it in one query, because each test costs a round trip and more.
  Belongs here: promises of one table by its columns.
  Does not: physical foreign keys (rebuilding a parent alone would break them), words of the public edition alone.

    key         the columns that identify a row, none of which is null
    references  for each column the relation in which every value of it is found, nulls aside: in the column of the same
                name, or in the one that `fields` names instead
    allowed     for each column the vocabulary that holds its words, nulls aside: a domain of
                seeds/dictionary/statuses.csv, such a domain without some of its words, or (in staging) a list

  A row of the answer is a broken promise: which one, the column or columns, and what was found there.
#}
{% test promises(model, key=[], references={}, fields={}, allowed={}) %}
    {%- set parts = [] -%}
    {%- if key -%} {%- do parts.append(broken_key(model, key)) -%} {%- endif -%}
    {%- for column, target in references.items() -%}
        {%- do parts.append(missing_values(model, column, target, fields.get(column, column))) -%}
    {%- endfor -%}
    {%- for column, words in allowed.items() -%}
        {%- do parts.append(words_beside(model, column, words)) -%}
    {%- endfor -%}
    {{ parts | join('\n    union all\n') }}
{% endtest %}

{% macro broken_key(model, key) -%}
    {%- set quoted = [] -%}
    {%- for column in key -%} {%- do quoted.append(adapter.quote(column)) -%} {%- endfor -%}
    select
        'key' as promise,
        '{{ key | join(", ") }}' as promised_of,
        concat_ws(', ', {% for column in quoted %}coalesce(cast({{ column }} as {{ dbt.type_string() }}), 'null'){{ ', ' if not loop.last }}{% endfor %}) as found
    from {{ model }}
    group by {{ quoted | join(', ') }}
    having count(*) > 1 or {{ quoted | join(' is null or ') }} is null
{%- endmacro %}

{% macro missing_values(model, column, target, field) -%}
    select
        'references {{ target.identifier }}' as promise,
        '{{ column }}' as promised_of,
        cast(child.value as {{ dbt.type_string() }}) as found
    from (select distinct {{ adapter.quote(column) }} as value from {{ model }}) as child
    where
        child.value is not null
        and not exists (select 1 from {{ target }} as parent where parent.{{ adapter.quote(field) }} = child.value)
{%- endmacro %}

{% macro words_beside(model, column, words) -%}
    select distinct
        'allowed' as promise,
        '{{ column }}' as promised_of,
        cast({{ adapter.quote(column) }} as {{ dbt.type_string() }}) as found
    from {{ model }}
    where cast({{ adapter.quote(column) }} as {{ dbt.type_string() }}) not in ({{ allowed_words(words) }})
{%- endmacro %}

{# The words, as what stands between the brackets of `not in`. #}
{% macro allowed_words(words) -%}
    {%- if words is string -%}
        select status from {{ ref('dim_status') }} where domain = '{{ words }}' and not public_only
    {%- elif words is mapping -%}
        select status from {{ ref('dim_status') }}
        where domain = '{{ words.domain }}' and not public_only and status not in ('{{ words.without | join("', '") }}')
    {%- else -%}
        '{{ words | join("', '") }}'
    {%- endif -%}
{%- endmacro %}
