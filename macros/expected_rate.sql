{#
    A cohort's conversion as it will end, from the columns of int_cohorts_expected, with the bounds of a 90% interval.
    The interval is of this cohort's own end: it closes as the cohort does, and never leaves what is still possible.
#}
{% macro expected_rate() -%} expected_advanced / entered {%- endmacro %}
{% macro expected_rate_low() -%}
    greatest(advanced, expected_advanced - 1.645 * sqrt(variance)) / entered
{%- endmacro %}
{% macro expected_rate_high() -%}
    least(advanced + still_there, expected_advanced + 1.645 * sqrt(variance)) / entered
{%- endmacro %}

{# The interval says nothing: it is wider than cohort_widest_interval. #}
{% macro is_too_young() -%}
    {{ expected_rate_high() }} - {{ expected_rate_low() }} > {{ var('cohort_widest_interval') }}
{%- endmacro %}
