{# A time that a log holds as text, in UTC: ISO with or without an offset, a day, or milliseconds since 1970. Null where
   it is none of these. #}
{% macro utc_from_text(text) -%} {{ return(adapter.dispatch('utc_from_text')(text)) }} {%- endmacro %}

{% macro default__utc_from_text(text) -%}
    coalesce(timestamp_millis(try_cast({{ text }} as bigint)), try_to_timestamp({{ text }}))
{%- endmacro %}

{% macro duckdb__utc_from_text(text) -%}
    coalesce(epoch_ms(try_cast({{ text }} as bigint)), timezone('UTC', try_cast({{ text }} as timestamptz)))
{%- endmacro %}
