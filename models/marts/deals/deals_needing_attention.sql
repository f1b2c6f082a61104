-- Whom to call first, and what to do: of each open deal the required step that is overdue, was passed over or is due within
-- days, the one by which most is to be saved. That is the amount, times the chance to lose it, times the part of such
-- losses that deals with the step in time were spared, by the lower end of what is known. Where nothing is known it is 0.
with acts as (
    select
        steps._deal_number,
        steps.step,
        case when steps.step in ({{ decider_steps() }}) then 'decision_maker' else steps.step end as thing,
        steps.due_at,
        case steps.status
            when 'overdue' then 'overdue'
            when 'skipped' then 'missing'
            else 'due_soon'
        end as status
    from {{ ref('fct_journey_steps') }} as steps
    cross join {{ ref('stg_as_of') }} as as_of
    where
        steps.is_required
        and steps.phase <> 'onboarding'
        and steps.done_at is null
        and (
            steps.status in ('overdue', 'skipped')
            or (steps.status = 'not_yet_due' and steps.due_at <= {{ dbt.dateadd('day', var('attention_days'), 'as_of.as_of') }})
        )
),

labels as (
    select
        step,
        max(step_label) as step_label
    from {{ ref('journey_map') }}
    group by step
),

judged as (
    select
        deals.deal_id,
        deals.deal_name,
        deals.currency,
        risks.owner_id,
        risks.team,
        risks.segment,
        risks.stage_id,
        risks.amount,
        risks.p_win_90d,
        risks.p_lost_30d,
        risks.p_win_ever,
        acts.step,
        labels.step_label,
        acts.status,
        acts.due_at,
        as_of.as_of,
        coalesce(own.in_time_n, overall.in_time_n) as in_time_n,
        coalesce(own.in_time_rate, overall.in_time_rate) as in_time_rate,
        coalesce(own.late_n, overall.late_n) as late_n,
        coalesce(own.late_rate, overall.late_rate) as late_rate,
        coalesce(own.effect, overall.effect) as effect,
        coalesce(own.effect_error, overall.effect_error) as effect_error
    from {{ ref('deal_risk') }} as risks
    inner join {{ ref('dim_deals') }} as deals on risks.deal_id = deals.deal_id
    inner join acts on deals._deal_number = acts._deal_number
    inner join labels on acts.step = labels.step
    cross join {{ ref('stg_as_of') }} as as_of
    left join {{ ref('int_attention_effects') }} as own
        on risks.stage_id = own.stage_id and risks.segment = own.segment and acts.thing = own.thing
    left join {{ ref('int_attention_effects') }} as overall
        on risks.stage_id = overall.stage_id and overall.segment = '(all)' and acts.thing = overall.thing
),

valued as (
    select
        *,
        cast(amount * (1 - p_win_ever) as decimal(18, 2)) as amount_at_risk,
        cast(
            case
                when effect - 1.645 * effect_error > 0 and amount * (1 - p_win_ever) > 0
                    then
                        amount * (1 - p_win_ever)
                        * least(1.0, (effect - 1.645 * effect_error) / greatest(1 - late_rate, 0.01))
                else 0
            end as decimal(18, 2)
        ) as amount_saved
    from judged
),

first_acts as (
    select *
    from (
        select
            *,
            row_number() over (
                partition by deal_id
                order by
                    amount_saved desc,
                    case status when 'overdue' then 1 when 'due_soon' then 2 else 3 end asc,
                    due_at asc,
                    step asc
            ) as place
        from valued
    ) as placed
    where place = 1
)

select
    deal_id,
    deal_name,
    owner_id,
    team,
    row_number() over (partition by owner_id order by amount_saved desc, amount_at_risk desc nulls last, deal_id asc) as rank_in_owner,
    row_number() over (partition by team order by amount_saved desc, amount_at_risk desc nulls last, deal_id asc) as rank_in_team,
    row_number() over (order by amount_saved desc, amount_at_risk desc nulls last, deal_id asc) as rank_overall,
    segment,
    stage_id,
    amount,
    currency,
    p_win_90d,
    p_lost_30d,
    amount_at_risk,
    amount_saved as amount_saved_by_acting,
    step_label as next_act,
    step as next_act_step_id,
    status as next_act_status,
    cast(due_at as date) as due_on,
    cast(greatest(0, {{ dbt.datediff('due_at', 'as_of', 'day') }}) as bigint) as days_overdue,
    coalesce(in_time_n, 0) as acted_in_time_n,
    in_time_rate as acted_in_time_win_rate,
    coalesce(late_n, 0) as not_acted_n,
    late_rate as not_acted_win_rate,
    effect as win_rate_difference,
    effect - 1.645 * effect_error as difference_low,
    effect + 1.645 * effect_error as difference_high,
    step_label
    || case status
        when 'overdue' then ' is overdue since '
        when 'missing' then ' was passed over; it was due on '
        else ' is due on '
    end
    || cast(cast(due_at as date) as {{ dbt.type_string() }})
    || case
        when effect is null then '; what it is worth is not known'
        else
            '. Of ' || cast(in_time_n as {{ dbt.type_string() }}) || ' such deals that had it in time '
            || {{ percent('in_time_rate') }} || ' were won, of ' || cast(late_n as {{ dbt.type_string() }})
            || ' that had not ' || {{ percent('late_rate') }}
            || case when effect - 1.645 * effect_error <= 0 then '; that may be chance' else '' end
    end as sentence,
    cast(as_of as date) as as_of
from first_acts
