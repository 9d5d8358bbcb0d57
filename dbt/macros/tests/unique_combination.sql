{#
  Generic test: the columns together identify a row, and none of them is null.
  Belongs here: the test that every mart carries for its grain.
  Does not: relations between tables (references.sql).
#}
{% test unique_combination(model, columns) %}
    {%- set quoted = [] -%}
    {%- for column in columns -%} {%- do quoted.append(adapter.quote(column)) -%} {%- endfor -%}
    select {{ quoted | join(', ') }}, count(*) as n_rows
    from {{ model }}
    group by {{ quoted | join(', ') }}
    having count(*) > 1 or {{ quoted | join(' is null or ') }} is null
{% endtest %}
