-- Whom to ask why: the lost deals of which neither the facts nor what was stated tell the reason, with the question.
select
    losses.deal_id,
    deals.deal_name,
    losses.owner_id,
    losses.team,
    losses.segment,
    losses.stage_id,
    losses.amount,
    losses.currency,
    losses.lost_on,
    losses.stated_reason,
    case
        when losses.is_reason_supported = false
            then 'Stated is ' || replace(losses.stated_reason_kind, '_', ' ') || ', and the facts do not bear it out. What happened?'
        when losses.is_silent
            then
                'The client was not heard for '
                || cast(cast(losses.silence_days as {{ dbt.type_bigint() }}) as {{ dbt.type_string() }}) || ' days. What was said last?'
        else 'Nothing was late and no reason is stated. What did the client say?'
    end as question,
    losses.as_of
from {{ ref('loss_autopsy') }} as losses
inner join {{ ref('dim_deals') }} as deals on losses.deal_id = deals.deal_id
where not losses.is_silent_death and {{ loss_reason('losses.') }} = 'unknown'
