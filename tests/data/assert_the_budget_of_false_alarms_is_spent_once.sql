-- The weights of all streams of a period sum to one at most: else the department would be alarmed more often than set.
select period_date
from {{ ref('int_chart_streams') }}
group by period_date
having sum(weight) > 1.000001
