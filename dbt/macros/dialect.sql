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
    concat_ws('{{ separator }}', array_sort(collect_set({{ text }})))
{%- endmacro %}
