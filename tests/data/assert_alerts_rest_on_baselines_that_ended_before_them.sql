-- No day is part of what it is held against.
select *
from {{ ref('funnel_monitor') }}
where date_day < baseline_until
