{# Where a close date's quarter lies, seen from another: earlier_quarter, this_quarter, later, or no_date for none. A date that
   has passed in this quarter is in this_quarter still. #}
{% macro close_horizon(close_quarter, this_quarter) -%}
    case
        when {{ close_quarter }} is null then 'no_date'
        when {{ close_quarter }} < {{ this_quarter }} then 'earlier_quarter'
        when {{ close_quarter }} > {{ this_quarter }} then 'later'
        else 'this_quarter'
    end
{%- endmacro %}
