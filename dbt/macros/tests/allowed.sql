{#
  Generic test: each named column holds only the words listed for it, or null.
  Belongs here: all closed vocabularies of one table in one query.
  Does not: vocabularies that seeds govern (references.sql).
#}
{% test allowed(model, columns) %}
    {%- for column, words in columns.items() %}
    select distinct '{{ column }}' as column_name, cast({{ adapter.quote(column) }} as varchar) as found
    from {{ model }}
    where cast({{ adapter.quote(column) }} as varchar) not in ('{{ words | join("', '") }}')
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
{% endtest %}
