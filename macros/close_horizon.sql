{# Where a close date's quarter lies, seen from another: overdue, this_quarter, later, or no_date for none. #}
{% macro close_horizon(close_quarter, this_quarter) -%}
    case
        when {{ close_quarter }} is null then 'no_date'
        when {{ close_quarter }} < {{ this_quarter }} then 'overdue'
        when {{ close_quarter }} > {{ this_quarter }} then 'later'
        else 'this_quarter'
    end
{%- endmacro %}
