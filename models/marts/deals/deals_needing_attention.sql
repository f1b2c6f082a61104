-- Whom to call first, and what to do. Of each open deal the required step that is overdue, was passed over or is due within
-- days, the one by which most is to be saved: the amount, times the chance to lose it, times the part of such losses that
-- deals as late as this one were spared when it was done from there, by the lower end of what is known. Where nothing is
-- known it is 0, and then what is at risk tells. What deals without it did better with is no act. A client who is silent
-- beyond the norm, or a deal that is likely to be lost soon, is listed whether a step is due or not.
{% set least_cases = 10 %} -- deals with and without the act, below which a segment is told like all
with steps as (
    select
        steps._deal_number as deal_number,
        steps.step,
        case when steps.step in ({{ decider_steps() }}) then 'decision_maker' else steps.step end as thing,
        steps.due_at,
        {{ delays_within(dbt.datediff('steps.due_at', 'as_of.as_of', 'second')) }} as delays_passed,
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
        -- the win is what all acts are for, and none itself
        and steps.step not in (
            select lines.step
            from {{ ref('journey_map') }} as lines
            inner join {{ ref('journey_evidence') }} as ways on lines.evidence = ways.evidence
            where ways.kind = 'won'
        )
),

open_deals as (
    select
        deals._deal_number as deal_number,
        deals.deal_name,
        risks.*,
        heard.silence_days,
        heard.silence_norm_days,
        coalesce(heard.silence_days > heard.silence_norm_days, false) as is_silent,
        {{ dbt.dateadd('day', 'heard.silence_norm_days', 'heard.last_heard_at') }} as silent_from_at
    from {{ ref('deal_risk') }} as risks
    inner join {{ ref('dim_deals') }} as deals on risks.deal_id = deals.deal_id
    inner join {{ ref('int_deals_heard') }} as heard on deals._deal_number = heard.deal_number
),

-- what speaks most for a loss, of deals that are likely to be lost soon
fears as (
    select
        deal_id,
        max_by(sentence, contribution) as sentence
    from {{ ref('deal_risk_reasons') }}
    where
        outcome = 'lost_30d'
        and part <> 'base'
        and contribution > 0
        and deal_id in (
            select deal_id from open_deals
            where p_lost_30d >= {{ var('attention_lost_from') }}
        )
    group by deal_id
),

acts as (
    select
        open_deals.*,
        labels.step_label as next_act,
        steps.step,
        steps.thing,
        steps.status,
        steps.due_at,
        coalesce(own.acted_within_days, overall.acted_within_days) as acted_within_days,
        coalesce(own.acted_n, overall.acted_n) as acted_n,
        coalesce(own.acted_rate, overall.acted_rate) as acted_rate,
        coalesce(own.not_acted_n, overall.not_acted_n) as not_acted_n,
        coalesce(own.not_acted_rate, overall.not_acted_rate) as not_acted_rate,
        coalesce(own.effect, overall.effect) as effect,
        1.645 * coalesce(own.effect_error, overall.effect_error) as margin
    from open_deals
    inner join steps on open_deals.deal_number = steps.deal_number
    inner join {{ ref('int_journey_steps_labelled') }} as labels on steps.step = labels.step
    left join {{ ref('int_attention_effects') }} as overall
        on
            open_deals.stage_id = overall.stage_id and overall.segment = '(all)' and steps.thing = overall.thing
            and overall.delays_passed = case
                -- who decides is missed from the entry of the stage on
                when steps.thing = 'decision_maker' then {{ delays_within('open_deals.days_in_stage * 86400') }}
                else steps.delays_passed
            end
    left join {{ ref('int_attention_effects') }} as own
        on
            overall.stage_id = own.stage_id and open_deals.segment = own.segment and overall.thing = own.thing
            and overall.delays_passed = own.delays_passed
            and least(own.acted_n, own.not_acted_n) >= {{ least_cases }}
    union all
    select
        open_deals.*,
        case when open_deals.is_silent then 'Get in touch with the client' else 'Ask the client where the deal stands' end as next_act,
        null as step,
        null as thing,
        case when open_deals.is_silent then 'silent' else 'at_risk' end as status,
        case when open_deals.is_silent then open_deals.silent_from_at end as due_at,
        null as acted_within_days,
        null as acted_n,
        null as acted_rate,
        null as not_acted_n,
        null as not_acted_rate,
        null as effect,
        null as margin
    from open_deals
    where open_deals.is_silent or open_deals.p_lost_30d >= {{ var('attention_lost_from') }}
),

valued as (
    select
        *,
        cast(amount * (1 - p_win_ever) as decimal(18, 2)) as amount_at_risk,
        cast(
            case
                -- learnt of deals whose client was heard
                when not is_silent and effect - margin > 0 and amount * (1 - p_win_ever) > 0
                    then amount * (1 - p_win_ever) * least(1.0, (effect - margin) / greatest(1 - not_acted_rate, 0.01))
                else 0
            end as decimal(18, 2)
        ) as amount_saved
    from acts
    where coalesce(effect + margin >= 0, true)
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
                    case status when 'silent' then 1 when 'overdue' then 2 when 'due_soon' then 3 when 'missing' then 4 else 5 end asc,
                    due_at asc,
                    step asc
            ) as place
        from valued
    ) as placed
    where place = 1
),

-- amounts of two currencies cannot be compared: the first of each stands beside the first of the others, the middle one
-- beside the middle ones
standing as (
    select
        *,
        (
            row_number() over (
                partition by currency, amount_saved > 0
                order by amount_saved desc, amount_at_risk desc nulls last, deal_id asc
            ) - 0.5
        ) / count(*) over (partition by currency, amount_saved > 0) as standing_by_saved,
        (
            row_number() over (partition by currency order by amount * p_lost_30d desc nulls last, deal_id asc) - 0.5
        ) / count(*) over (partition by currency) as standing_by_risk
    from first_acts
),

ranked as (
    select
        *,
        row_number() over (order by amount_saved > 0 desc, standing_by_saved asc, currency asc, deal_id asc) as rank_overall,
        row_number() over (order by standing_by_risk asc, currency asc, deal_id asc) as rank_by_risk
    from standing
)

select
    ranked.deal_id,
    ranked.deal_name,
    ranked.owner_id,
    ranked.team,
    row_number() over (partition by ranked.owner_id order by ranked.rank_overall) as rank_in_owner,
    row_number() over (partition by ranked.team order by ranked.rank_overall) as rank_in_team,
    ranked.rank_overall,
    ranked.rank_by_risk,
    ranked.segment,
    ranked.stage_id,
    ranked.amount,
    ranked.currency,
    ranked.p_win_90d,
    ranked.p_lost_30d,
    ranked.amount_at_risk,
    ranked.amount_saved as amount_saved_by_acting,
    ranked.next_act,
    ranked.step as next_act_step_id,
    ranked.status as next_act_status,
    cast(ranked.due_at as date) as due_on,
    cast(greatest(0, {{ dbt.datediff('ranked.due_at', 'as_of.as_of', 'day') }}) as bigint) as days_overdue,
    cast(ranked.acted_within_days as bigint) as acted_within_days,
    coalesce(ranked.acted_n, 0) as acted_n,
    ranked.acted_rate as acted_win_rate,
    coalesce(ranked.not_acted_n, 0) as not_acted_n,
    ranked.not_acted_rate as not_acted_win_rate,
    ranked.effect as win_rate_difference,
    ranked.effect - ranked.margin as difference_low,
    ranked.effect + ranked.margin as difference_high,
    case
        when ranked.status = 'silent'
            then
                'The client was last heard ' || {{ whole('ranked.silence_days') }} || ' days ago; of twenty silences of won deals '
                || 'nineteen ended within ' || {{ whole('ranked.silence_norm_days') }} || ' days'
        when ranked.status = 'at_risk'
            then
                'No step is due, but the chance that it is lost within 30 days is ' || {{ percent('ranked.p_lost_30d') }}
                || coalesce('; ' || fears.sentence, '')
        else
            '"' || ranked.next_act
            || case ranked.status
                when 'overdue' then '" is overdue since '
                when 'missing' then '" was passed over; it was due on '
                else '" is due on '
            end
            || {{ day_in_words('ranked.due_at') }}
            || case
                when ranked.effect is null then '; what it is still worth is not known'
                else
                    '. Of ' || cast(ranked.acted_n as {{ dbt.type_string() }}) || ' such deals '
                    || case
                        when ranked.acted_within_days = 0 then 'that had it in time '
                        else
                            'as late that had it within ' || {{ whole('ranked.acted_within_days') }} || ' days of the '
                            || case when ranked.thing = 'decision_maker' then 'entry into the stage ' else 'deadline ' end
                    end
                    || {{ percent('ranked.acted_rate') }} || ' were won, of ' || cast(ranked.not_acted_n as {{ dbt.type_string() }})
                    || ' that had not ' || {{ percent('ranked.not_acted_rate') }}
                    || case when ranked.effect <= ranked.margin then '; that may be chance' else '' end
            end
    end as sentence,
    cast(as_of.as_of as date) as as_of
from ranked
cross join {{ ref('stg_as_of') }} as as_of
left join fears on ranked.deal_id = fears.deal_id
