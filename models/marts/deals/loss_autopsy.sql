-- Why each lost deal was lost, as far as facts can tell: what was late in the stay it was lost in and costs deals of its
-- stage and segment. Unknown where nothing rises above what won deals show. The stated reason stands beside it, with
-- whether the facts bear it out.
{% set named = var('indicator_steps') %}
{% set least_stated, told_from = 20, 0.9 %} -- losses to a competitor, and the share of them that name it, for its absence to tell
with causes as (
    select
        deal_number,
        {% for column in ['cause', 'thing', 'share', 'share_low', 'share_high', 'due_at'] %}
            max(case when place = 1 then {{ column }} end) as {{ column }},
        {% endfor %}
        max(case when place = 2 then cause end) as second_cause,
        -- what comes next to an explanation where there is none, from one loss in twenty on
        {% set worth_telling = 'case when share >= 0.05 then share end' %}
        max_by(thing, {{ worth_telling }}) as nearest_thing,
        max({{ worth_telling }}) as nearest_share,
        max_by(share_low, {{ worth_telling }}) as nearest_low,
        max_by(share_high, {{ worth_telling }}) as nearest_high
    from {{ ref('int_loss_causes') }}
    group by deal_number
),

-- a decision maker who is missing could be seen from the deadline of that step on; of a step that was not due before the
-- loss nobody can say that it was late, or that it was not
steps as (
    select
        steps._deal_number,
        {% for thing in ['legal', 'proposal'] %}
            max(
                case
                    when steps.step = '{{ named[thing] }}' and steps.due_at < deals.until_at and steps.not_measurable_reason is null
                        then case when steps.done_at <= steps.due_at then 0 else 1 end
                end
            ) = 1 as is_{{ thing }}_late,
        {% endfor %}
        min(case when steps.step in ({{ decider_steps() }}) then steps.due_at end) as decider_due_at,
        min(case when steps.step in ({{ decider_steps() }}) then steps.step end) as decider_step
    from {{ ref('fct_journey_steps') }} as steps
    inner join {{ ref('int_loss_deals') }} as deals on steps._deal_number = deals.deal_number
    where steps.step in ({{ decider_steps() }}) or steps.step in ('{{ named["legal"] }}', '{{ named["proposal"] }}')
    group by steps._deal_number
),

edits as (
    select
        deals.deal_id,
        count(*) as edits
    from {{ ref('crm_field_changes') }} as changes
    inner join {{ ref('int_loss_deals') }} as deals on changes.deal_id = deals.deal_id
    where changes.field = 'loss_reason' and changes.old_value is not null and changes.changed_at > deals.lost_at
    group by deals.deal_id
),

cuts as (
    select distinct deal_id from {{ ref('fct_deal_changes') }}
    where field = 'amount' and direction = 'decreased' and not is_after_closing
),

timelines as (
    select
        deal_id,
        {{ dbt.listagg('sentence', "'; '", 'order by turned_on, thing, sentence') }} as timeline
    from {{ ref('loss_timeline') }}
    group by deal_id
),

-- that no competitor is named denies one only where it is usual to name them
competitors_told as (
    select deals.crm
    from {{ ref('int_loss_deals') }} as deals
    inner join {{ ref('int_loss_reasons_read') }} as reasons on deals.loss_reason = reasons.stated_reason
    where reasons.reason = 'competitor'
    group by deals.crm
    having
        count(*) >= {{ least_stated }}
        and sum(case when deals.competitor is not null then 1.0 else 0.0 end) / count(*) >= {{ told_from }}
),

joined as (
    select
        deals.*,
        causes.share,
        causes.share_low,
        causes.share_high,
        causes.thing,
        coalesce(
            case
                when causes.cause = 'late_proposal' and deals.is_silent then 'late_proposal_silence'
                else causes.cause
            end,
            'unknown'
        ) as found_cause,
        causes.second_cause,
        causes.nearest_thing,
        causes.nearest_share,
        causes.nearest_low,
        causes.nearest_high,
        case
            when causes.cause = 'no_decision_maker' and steps.decider_due_at < deals.until_at
                then least(causes.due_at, steps.decider_due_at)
            else causes.due_at
        end as visible_at,
        case when causes.cause = 'no_decision_maker' then steps.decider_step else causes.thing end as missed_step_id,
        case when deals.is_decider_told then coalesce(deals.decider_at <= deals.until_at, false) end as has_decision_maker,
        case when logged.crm is not null and deals.lost_at is not null then edits.deal_id is not null end
            as is_reason_edited_after_close,
        coalesce(reasons.reason, 'unknown') as stated_reason_kind,
        case coalesce(reasons.reason, 'unknown')
            when 'competitor' then case when deals.competitor is not null then true when competitors_told.crm is not null then false end
            when 'price' then case when cuts.deal_id is not null then true end
            when 'legal' then steps.is_legal_late
            when 'late_proposal' then steps.is_proposal_late
            when 'silence' then deals.is_silent
            -- a client who did nothing is not heard; one who is heard may do nothing all the same
            when 'no_decision' then case when deals.is_silent then true end
            when 'no_decision_maker'
                then case when deals.is_decider_told then coalesce(deals.decider_at > deals.until_at, true) end
        end as is_reason_supported,
        timelines.timeline
    from {{ ref('int_loss_deals') }} as deals
    left join causes on deals.deal_number = causes.deal_number
    left join steps on deals.deal_number = steps._deal_number
    left join edits on deals.deal_id = edits.deal_id
    left join cuts on deals.deal_id = cuts.deal_id
    left join timelines on deals.deal_id = timelines.deal_id
    left join competitors_told on deals.crm = competitors_told.crm
    left join {{ ref('int_loss_reasons_read') }} as reasons on deals.loss_reason = reasons.stated_reason
    left join {{ ref('int_capabilities_found') }} as logged
        on deals.crm = logged.crm and logged.capability = 'loss_reason_log'
)

select
    joined.deal_id,
    cast(joined.lost_at as date) as lost_on,
    joined.is_silent_death,
    joined.segment,
    joined.stage_id,
    joined.channel,
    joined.team,
    joined.owner_id,
    joined.amount,
    joined.currency,
    joined.competitor,
    joined.loss_reason as stated_reason,
    joined.stated_reason_kind,
    joined.found_cause,
    joined.share as found_cause_share,
    joined.share_low as found_cause_share_low,
    joined.share_high as found_cause_share_high,
    joined.second_cause,
    cast(joined.visible_at as date) as first_visible_on,
    cast({{ dbt.datediff('joined.visible_at', 'joined.until_at', 'day') }} as bigint) as days_visible_before_loss,
    joined.missed_step_id,
    joined.has_decision_maker,
    joined.is_silent,
    joined.silence_days,
    joined.is_reason_edited_after_close,
    joined.is_reason_supported,
    joined.timeline,
    case
        when joined.found_cause <> 'unknown'
            then
                case
                    when joined.found_cause <> 'no_decision_maker'
                        then 'Late or not done: ' || labels.step_label || ', due on ' || {{ day_in_words('joined.visible_at') }}
                    when joined.has_decision_maker
                        then
                            'Who decides came only on ' || {{ day_in_words('joined.decider_at') }}
                            || ', missed since ' || {{ day_in_words('joined.visible_at') }}
                    else 'Nobody who decides was on the deal, to be seen since ' || {{ day_in_words('joined.visible_at') }}
                end
                || case when joined.found_cause = 'late_proposal_silence' then ', and the client fell silent' else '' end
                || '; of ten such losses about ' || {{ of_ten('joined.share') }} || ' would not have been, had it been in time ('
                || {{ of_ten('joined.share_low') }} || ' to ' || {{ of_ten('joined.share_high') }} || ')'
        when joined.nearest_share is null then 'Nothing was late that is known to cost deals'
        else
            'Nothing that was late stands out; the nearest, '
            || coalesce(nearest.step_label, 'nobody who decides')
            || ', explains about ' || {{ of_ten('joined.nearest_share') }} || ' of ten such losses ('
            || {{ of_ten('joined.nearest_low') }} || ' to ' || {{ of_ten('joined.nearest_high') }} || ')'
    end
    || case
        when joined.is_silent_death
            then
                '. Open in the CRM, but the client was last heard ' || {{ whole('joined.silence_days') }} || ' days ago'
        when joined.stated_reason_kind = 'unknown' then '. No reason was stated'
        else '. Stated: ' || replace(joined.stated_reason_kind, '_', ' ') || case
            when joined.is_reason_supported then ', which the facts bear out'
            when not joined.is_reason_supported then ', which the facts do not bear out'
            else ''
        end
    end as sentence,
    cast((select as_of from {{ ref('stg_as_of') }}) as date) as as_of
from joined
left join {{ ref('int_journey_steps_labelled') }} as labels on joined.thing = labels.step
left join {{ ref('int_journey_steps_labelled') }} as nearest on joined.nearest_thing = nearest.step
