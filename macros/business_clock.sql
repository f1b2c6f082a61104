{#
    The business clock: how many working seconds, or business days, a country's calendar has counted up to a moment.
    A span of business time is the difference of two readings. Keep spans, not readings: the count starts with the
    year of the first deal, and an older deal moves it.

        select {{ business_seconds_at('ended', 'visits.exited_at') }} - {{ business_seconds_at('began', ...) }}
        left join int_business_days as ended
            on visits.country = ended.country and cast(visits.exited_at as date) = ended.date_day

    Plain arithmetic on the joined row, so that millions of rows stay cheap. A moment that is null or beyond the
    calendar joins no row and reads null. Seconds are whole ones.
#}
{% macro business_seconds_at(day, at) -%}
    {%- set second = dbt.datediff(day ~ '.date_day', at, 'second') -%}
    (
        {{ day }}.business_seconds_before
        + greatest(0, least({{ second }}, {{ day }}.closes_second_1) - {{ day }}.opens_second_1)
        + greatest(0, least({{ second }}, {{ day }}.closes_second_2) - {{ day }}.opens_second_2)
    )
{%- endmacro %}

{# Business days begun up to the moment, by the local date: from Friday, or from Saturday, to Monday is one. #}
{% macro business_day_number_at(day, at) -%}
    (
        case
            when {{ at }} < {{ day }}.local_midnight_at then {{ day }}.business_days_before_midnight
            else {{ day }}.business_days_after_midnight
        end
    )
{%- endmacro %}

{#
    The way back, from a reading to the moment: when does a task fall due that has eight working hours?

        select {{ moment_of_business_seconds('due', 'tasks.target_seconds') }}
        left join int_business_slots as due
            on tasks.country = due.country and {{ business_slot_of('tasks.target_seconds') }} = due.slot_number

    A reading stands still while the office is closed, and the moment given is the last one that has it: what is due
    at closing time is due when the office opens next. Beyond the calendar there is no slot, and the moment is null.
#}
{% macro business_slot_of(seconds) -%} cast(floor({{ seconds }} / 900) as {{ dbt.type_bigint() }}) {%- endmacro %}

{% macro moment_of_business_seconds(slot, seconds) -%}
    {{ dbt.dateadd('second', '(' ~ seconds ~ ' - 900 * ' ~ slot ~ '.slot_number)', slot ~ '.starts_at') }}
{%- endmacro %}
