-- A second row for a weekday would count its hours twice; a second time zone would make two midnights.
select
    country,
    count(*) as openings,
    count(distinct weekday) as weekdays,
    count(distinct time_zone) as time_zones
from {{ ref('business_hours') }}
group by country
having count(*) <> count(distinct weekday) or count(distinct time_zone) <> 1
