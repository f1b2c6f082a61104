{{ config(materialized='table') }}

-- When each business day closes, by its number: a deadline of n business days is the close of the day whose number
-- is n higher than the trigger's.
select
    slots.country,
    {{ business_day_number_at('days', 'slots.starts_at') }} as business_day_number,
    max(slots.ends_at) as closes_at
from {{ ref('int_business_slots') }} as slots
inner join {{ ref('int_business_days') }} as days
    on slots.country = days.country and cast(slots.starts_at as date) = days.date_day
group by slots.country, {{ business_day_number_at('days', 'slots.starts_at') }}
