-- How far a nowcast looks: 30, 60 and 90 days from the first day that is not over, and to the end of that day's quarter.
-- Grain: one row per horizon.
with clock as (
    select {{ first_day_not_whole() }} as made_on from {{ ref('stg_as_of') }}
),

horizons as (
    {% for days in [30, 60, 90] %}
        select
            'days_{{ days }}' as horizon,
            made_on,
            made_on as counted_from,
            cast({{ dbt.dateadd('day', days, 'made_on') }} as date) as counted_until
        from clock
        union all
    {% endfor %}
    select
        'quarter_end' as horizon,
        made_on,
        cast({{ dbt.date_trunc('quarter', 'made_on') }} as date) as counted_from,
        cast({{ dbt.dateadd('month', 3, dbt.date_trunc('quarter', 'made_on')) }} as date) as counted_until
    from clock
)

select
    horizon,
    made_on,
    counted_from,
    counted_until,
    cast({{ dbt.datediff('made_on', 'counted_until', 'day') }} as integer) as days_ahead
from horizons
