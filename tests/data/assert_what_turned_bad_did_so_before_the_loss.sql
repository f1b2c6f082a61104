{{ config(meta={'dagster': {'ref': {'name': 'loss_timeline'}}}) }}

-- A day after the loss would be the future telling the past; a cause is seen no later either.
select
    timeline.deal_id,
    timeline.thing,
    timeline.turned_on,
    losses.lost_on
from {{ ref('loss_timeline') }} as timeline
inner join {{ ref('loss_autopsy') }} as losses on timeline.deal_id = losses.deal_id
where timeline.turned_on > coalesce(losses.lost_on, losses.as_of)
union all
select
    deal_id,
    found_cause as thing,
    first_visible_on as turned_on,
    lost_on
from {{ ref('loss_autopsy') }}
where first_visible_on > coalesce(lost_on, as_of)
