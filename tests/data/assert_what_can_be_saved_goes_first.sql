{{ config(meta={'dagster': {'ref': {'name': 'deals_needing_attention'}}}) }}

-- Of two deals whose amounts can be compared, the one by which more is saved stands higher, on the list of all and on
-- every other; and nobody is advised to do what is done.
select
    higher.deal_id,
    lower.deal_id as told_of
from {{ ref('deals_needing_attention') }} as higher
inner join {{ ref('deals_needing_attention') }} as lower
    on coalesce(higher.currency, '') = coalesce(lower.currency, '') and higher.rank_overall + 1 = lower.rank_overall
where higher.amount_saved_by_acting < lower.amount_saved_by_acting
union all
select
    deal_id,
    'rank_in_owner' as told_of
from {{ ref('deals_needing_attention') }}
qualify rank_in_owner < lag(rank_in_owner) over (partition by owner_id order by rank_overall)
union all
select
    listed.deal_id,
    steps.step as told_of
from {{ ref('deals_needing_attention') }} as listed
inner join {{ ref('fct_journey_steps') }} as steps on listed.deal_id = steps.deal_id and listed.next_act_step_id = steps.step
where steps.done_at is not null
