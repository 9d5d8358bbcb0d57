{#
  SQL that engines spell differently, each thing once.
  Belongs here: macros with a default and, where an engine differs, a form of its own; models call them by what they do.
  Does not: rules of any kind, or forms that every engine of the project shares: those stand in the models.
#}

{# Aggregate: the value in the row in which `by` is largest. #}
{% macro value_at_largest(value, by) -%}
    {{ adapter.dispatch('value_at_largest')(value, by) }}
{%- endmacro %}

{% macro default__value_at_largest(value, by) -%}
    max_by({{ value }}, {{ by }})
{%- endmacro %}

{% macro postgres__value_at_largest(value, by) -%}
    (array_agg({{ value }} order by {{ by }} desc))[1]
{%- endmacro %}

{# Aggregate: the different texts in their order, with a separator between them. #}
{% macro joined_words(text, separator) -%}
    {{ adapter.dispatch('joined_words')(text, separator) }}
{%- endmacro %}

{% macro default__joined_words(text, separator) -%}
    string_agg(distinct {{ text }}, '{{ separator }}' order by {{ text }})
{%- endmacro %}

{% macro spark__joined_words(text, separator) -%}
    case when count({{ text }}) > 0 then concat_ws('{{ separator }}', array_sort(collect_set({{ text }}))) end
{%- endmacro %}

{# A row for every whole number from first to last, as integers; it stands alone in a list of columns. #}
{% macro every_number(first, last) -%}
    {{ adapter.dispatch('every_number')(first, last) }}
{%- endmacro %}

{% macro default__every_number(first, last) -%}
    cast(unnest(generate_series({{ first }}, {{ last }})) as integer)
{%- endmacro %}

{% macro postgres__every_number(first, last) -%}
    cast(generate_series({{ first }}, {{ last }}) as integer)
{%- endmacro %}

{% macro spark__every_number(first, last) -%}
    explode(sequence(cast({{ first }} as int), cast({{ last }} as int)))
{%- endmacro %}

{# A row for every day from 1 January of one year to 31 December of another; it stands alone in a list of columns. #}
{% macro every_day(first_year, last_year) -%}
    {{ adapter.dispatch('every_day')(first_year, last_year) }}
{%- endmacro %}

{% macro default__every_day(first_year, last_year) -%}
    cast(
        unnest(generate_series(
            cast(make_date({{ first_year }}, 1, 1) as timestamp),
            cast(make_date({{ last_year }}, 12, 31) as timestamp),
            interval 1 day
        )) as date
    )
{%- endmacro %}

{% macro postgres__every_day(first_year, last_year) -%}
    cast(generate_series(make_date({{ first_year }}, 1, 1), make_date({{ last_year }}, 12, 31), interval '1 day') as date)
{%- endmacro %}

{% macro spark__every_day(first_year, last_year) -%}
    explode(sequence(make_date({{ first_year }}, 1, 1), make_date({{ last_year }}, 12, 31), interval 1 day))
{%- endmacro %}

{# How many days lie between two dates, as a whole number. #}
{% macro days_between(first, last) -%}
    {{ adapter.dispatch('days_between')(first, last) }}
{%- endmacro %}

{% macro default__days_between(first, last) -%}
    {{ last }} - {{ first }}
{%- endmacro %}

{% macro spark__days_between(first, last) -%}
    datediff({{ last }}, {{ first }})
{%- endmacro %}
