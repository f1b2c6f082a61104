-- Alerts are counted where culprit_rank = 1: each has exactly one such row.
select alert_id
from {{ ref('funnel_alerts') }}
group by alert_id
having sum(case when culprit_rank = 1 then 1 else 0 end) <> 1
