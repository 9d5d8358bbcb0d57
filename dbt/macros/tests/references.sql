{#
  Generic test: every value of each named column is found in the relation given for it (nulls refer to nothing), in the
  column of the same name, or in the one that `fields` names instead.
  Belongs here: all relationships of one table in one query, so that a test costs one round trip a table.
  Does not: physical foreign keys: rebuilding a parent alone would break them.
#}
{% test references(model, columns, fields={}) %}
    {%- for column, target in columns.items() %}
    select '{{ column }}' as column_name, cast(child.value as varchar) as missing_value
    from (select distinct {{ adapter.quote(column) }} as value from {{ model }}) as child
    where
        child.value is not null
        and not exists (
            select 1 from {{ target }} as parent
            where parent.{{ adapter.quote(fields.get(column, column)) }} = child.value
        )
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
{% endtest %}
