{# The version of each row that was in force at as_of. Raw keeps them all. #}
{% macro current_versions(raw) -%}
    select *
    from {{ raw }}
    where
        _extracted_at <= (select as_of from {{ ref('stg_as_of') }})
        and (
            _superseded_at is null
            or _superseded_at > (select as_of from {{ ref('stg_as_of') }})
        )
{%- endmacro %}
