-- What people call each step: the same in all versions of the map.
select
    step,
    max(step_label) as step_label
from {{ ref('journey_map') }}
group by step
