-- Deals of no known country are timed by `default`; dim_dates shows the calendar that the var names.
select own.country
from (
    select 'default' as country
    union
    select '{{ var("business_calendar") }}' as country
) as own
left join {{ ref('business_hours') }} as hours on own.country = hours.country
where hours.country is null
