{# Bounds of a 90% interval of a share, after Wilson (1927): right for small n and near 0 and 1. Null where n is 0. #}
{% macro wilson_low(hits, n) -%} {{ _wilson(hits, n, '-') }} {%- endmacro %}
{% macro wilson_high(hits, n) -%} {{ _wilson(hits, n, '+') }} {%- endmacro %}

{% macro _wilson(hits, n, sign) -%}
    {%- set z2 = 1.645 * 1.645 -%}
    case when {{ n }} > 0 then
        (
            {{ hits }} + {{ z2 / 2 }}
            {{ sign }} 1.645 * sqrt(cast({{ hits }} as double) * ({{ n }} - {{ hits }}) / {{ n }} + {{ z2 / 4 }})
        ) / ({{ n }} + {{ z2 }})
    end
{%- endmacro %}

{# Bounds of a 90% interval of observed / expected, after Byar: a count against what was expected. #}
{% macro byar_low(observed, expected) -%}
    case
        when {{ observed }} > 0
            then
                {{ observed }} * power(1 - 1 / (9 * {{ observed }}) - 1.645 / (3 * sqrt({{ observed }})), 3)
                / nullif({{ expected }}, 0)
        else 0
    end
{%- endmacro %}
{% macro byar_high(observed, expected) -%}
    ({{ observed }} + 1) * power(1 - 1 / (9 * ({{ observed }} + 1)) + 1.645 / (3 * sqrt({{ observed }} + 1)), 3)
    / nullif({{ expected }}, 0)
{%- endmacro %}
