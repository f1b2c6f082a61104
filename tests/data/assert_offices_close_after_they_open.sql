-- Hours end on the day they begin, after they begin. As text, HH:MM sorts by time.
select *
from {{ ref('business_hours') }}
where not coalesce(opens_at < closes_at, false)
