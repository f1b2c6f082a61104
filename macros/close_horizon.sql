{# Where an expected close date lies, seen from the quarter of a moment: overdue, this_quarter, later or no_date. #}
{% macro close_horizon(close_date, moment) -%}
    case
        when {{ close_date }} is null then 'no_date'
        when {{ dbt.date_trunc('quarter', close_date) }} < {{ dbt.date_trunc('quarter', moment) }} then 'overdue'
        when {{ dbt.date_trunc('quarter', close_date) }} > {{ dbt.date_trunc('quarter', moment) }} then 'later'
        else 'this_quarter'
    end
{%- endmacro %}
