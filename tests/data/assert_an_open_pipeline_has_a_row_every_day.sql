-- A day opens with what the day before closed with, and deals at rest keep their rows up to as_of: a place that
-- closed with deals has a row on the next day.
with days as (
    select
        *,
        lag(date_day) over place as previous_day,
        lag(closing_deals) over place as previous_deals,
        lag(closing_amount) over place as previous_amount,
        lead(date_day) over place as next_day
    from {{ ref('fct_pipeline_movements') }}
    window place as (partition by pipeline, close_horizon, segment, team, currency order by date_day)
)

select *
from days
where
    opening_deals <> coalesce(previous_deals, 0)
    or opening_amount <> coalesce(previous_amount, 0)
    or (opening_deals <> 0 and previous_day <> {{ dbt.dateadd('day', -1, 'date_day') }})
    or (
        closing_deals <> 0
        and next_day is null
        and date_day < (select cast(as_of as date) from {{ ref('stg_as_of') }})
    )
