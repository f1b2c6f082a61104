{#
    The moment, in UTC, at which clocks of a time zone show a local time. A time that clocks show twice is the first
    of the two; one that they skip is as far after the change as it claims to be.
#}
{% macro utc_at(local_time, time_zone) -%}
    {{ return(adapter.dispatch('utc_at')(local_time, time_zone)) }}
{%- endmacro %}

{% macro default__utc_at(local_time, time_zone) -%} to_utc_timestamp({{ local_time }}, {{ time_zone }}) {%- endmacro %}

{# DuckDB takes the second of the two. The first has the offset of the day before, if clocks then show that time. #}
{% macro duckdb__utc_at(local_time, time_zone) -%}
    {%- set first = "timezone('UTC', timezone(" ~ time_zone ~ ", " ~ local_time ~ " - interval 1 day)) + interval 1 day" -%}
    case
        when timezone({{ time_zone }}, timezone('UTC', {{ first }})) = {{ local_time }} then {{ first }}
        else timezone('UTC', timezone({{ time_zone }}, {{ local_time }}))
    end
{%- endmacro %}

{# Whether the engine knows a time zone. Where it has no list of them, utc_at itself fails on an unknown one. #}
{% macro is_known_time_zone(time_zone) -%} {{ return(adapter.dispatch('is_known_time_zone')(time_zone)) }} {%- endmacro %}

{% macro default__is_known_time_zone(time_zone) -%} true {%- endmacro %}

{% macro duckdb__is_known_time_zone(time_zone) -%}
    coalesce({{ time_zone }} in (select name from pg_timezone_names()), false)
{%- endmacro %}
