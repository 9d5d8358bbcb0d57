{#
  Generic test: each named column holds only the words of its vocabulary, or null.
  Belongs here: all closed vocabularies of one table in one query. A vocabulary is the name of a domain of
  seeds/dictionary/statuses.csv, such a domain without some of its words, or (in staging) a list.
  Does not: vocabularies that other seeds govern (references.sql), or words of the public edition alone.
#}
{% test allowed(model, columns) %}
    {%- for column, words in columns.items() %}
    select distinct '{{ column }}' as column_name, cast({{ adapter.quote(column) }} as varchar) as found
    from {{ model }}
    where cast({{ adapter.quote(column) }} as varchar) not in ({{ allowed_words(words) }})
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
{% endtest %}

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
