{#
    A day is whole when the extract saw all of it; as_of is often the last second of one. Estimates look at whole days
    only: of a day seen in part, those who left are known, and those who stayed are not yet.
#}
{% macro first_day_not_whole(as_of='as_of') -%} cast({{ dbt.dateadd('second', 1, as_of) }} as date) {%- endmacro %}

{% macro last_whole_day(as_of='as_of') -%} {{ dbt.dateadd('day', -1, first_day_not_whole(as_of)) }} {%- endmacro %}
