{{ config(meta={'dagster': {'ref': {'name': 'int_business_slots'}}}) }}

-- The clock reads 900 seconds a slot: what falls due by the slots has then used up exactly its time.
select
    slots.country,
    slots.slot_number,
    slots.starts_at
from {{ ref('int_business_slots') }} as slots
left join {{ ref('int_business_days') }} as days
    on slots.country = days.country and cast(slots.starts_at as date) = days.date_day
where {{ business_seconds_at('days', 'slots.starts_at') }} is distinct from 900 * slots.slot_number
