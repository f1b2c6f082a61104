-- Whom to ask why: the lost deals of which neither the facts nor what was stated tell the reason, with the question. Those
-- of the last loss_queue_days, while people still know; the largest first, each currency by itself.
with losses as (
    select * from {{ ref('loss_autopsy') }}
    where
        not is_silent_death
        and {{ loss_reason() }} = 'unknown'
        and lost_on > {{ dbt.dateadd('day', -1 * var('loss_queue_days'), 'as_of') }}
),

standing as (
    select
        *,
        (row_number() over (partition by currency order by amount desc nulls last, deal_id asc) - 0.5)
        / count(*) over (partition by currency) as standing_by_amount
    from losses
)

select
    standing.deal_id,
    deals.deal_name,
    standing.owner_id,
    standing.team,
    row_number() over (order by standing.standing_by_amount asc, standing.currency asc, standing.deal_id asc) as rank_overall,
    standing.segment,
    standing.stage_id,
    standing.amount,
    standing.currency,
    standing.lost_on,
    standing.stated_reason,
    case
        when standing.is_reason_supported = false
            then 'Stated is ' || replace(standing.stated_reason_kind, '_', ' ') || ', and the facts do not bear it out. What happened?'
        when standing.is_silent
            then 'The client was not heard for ' || {{ whole('standing.silence_days') }} || ' days. What was said last?'
        else 'Nothing that was late stands out, and no reason is stated. What did the client say?'
    end as question,
    standing.as_of
from standing
inner join {{ ref('dim_deals') }} as deals on standing.deal_id = deals.deal_id
