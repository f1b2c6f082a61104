-- Why each lost deal was lost, as far as facts can tell: what was late in the stay it was lost in and costs deals of its
-- stage and segment. Unknown where nothing rises above what won deals show. The stated reason stands beside it, with
-- whether the facts bear it out.
with causes as (
    select
        causes.deal_number,
        max(case when causes.place = 1 then causes.cause end) as cause,
        max(case when causes.place = 1 then causes.thing end) as thing,
        max(case when causes.place = 1 then causes.share end) as share,
        max(case when causes.place = 1 then causes.share_low end) as share_low,
        max(case when causes.place = 1 then causes.share_high end) as share_high,
        max(case when causes.place = 1 then causes.due_at end) as due_at,
        max(case when causes.place = 2 then causes.cause end) as second_cause,
        max(case when causes.cause = 'legal_stalled' then 1 else 0 end) = 1 as is_legal_late,
        max(case when causes.cause = 'late_proposal' then 1 else 0 end) = 1 as is_proposal_late
    from {{ ref('int_loss_causes') }} as causes
    group by causes.deal_number
),

-- a decision maker who is missing could be seen from the deadline of that step on
decider_steps as (
    select
        steps._deal_number,
        min(steps.due_at) as due_at,
        min(steps.step) as step
    from {{ ref('fct_journey_steps') }} as steps
    where
        steps.step in ({{ decider_steps() }})
        and steps._deal_number in (select deal_number from {{ ref('int_loss_deals') }})
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

-- what a CRM never tells denies nothing
competitors_told as (
    select distinct crm from {{ ref('dim_deals') }}
    where competitor is not null
),

steps_told as (
    select
        deals.crm,
        max(case when causes.cause = 'legal_stalled' then 1 else 0 end) = 1 as is_legal_told,
        max(case when causes.cause = 'late_proposal' then 1 else 0 end) = 1 as is_proposal_told
    from {{ ref('int_loss_causes') }} as causes
    inner join {{ ref('int_loss_deals') }} as deals on causes.deal_number = deals.deal_number
    group by deals.crm
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
        case
            when causes.cause = 'no_decision_maker' and decider_steps.due_at < deals.until_at
                then least(causes.due_at, decider_steps.due_at)
            else causes.due_at
        end as visible_at,
        case when causes.cause = 'no_decision_maker' then decider_steps.step else causes.thing end as missed_step_id,
        case when deals.is_decider_told then coalesce(deals.decider_at <= deals.until_at, false) end as has_decision_maker,
        case when logged.crm is not null and deals.lost_at is not null then edits.deal_id is not null end
            as is_reason_edited_after_close,
        coalesce(reasons.reason, 'unknown') as stated_reason_kind,
        case coalesce(reasons.reason, 'unknown')
            when 'competitor' then case when deals.competitor is not null then true when competitors_told.crm is not null then false end
            when 'price' then case when cuts.deal_id is not null then true end
            when 'legal' then case when steps_told.is_legal_told then coalesce(causes.is_legal_late, false) end
            when 'late_proposal' then case when steps_told.is_proposal_told then coalesce(causes.is_proposal_late, false) end
            when 'silence' then deals.is_silent
            when 'no_decision_maker'
                then case when deals.is_decider_told then coalesce(deals.decider_at > deals.until_at, true) end
        end as is_reason_supported,
        timelines.timeline
    from {{ ref('int_loss_deals') }} as deals
    left join causes on deals.deal_number = causes.deal_number
    left join decider_steps on deals.deal_number = decider_steps._deal_number
    left join edits on deals.deal_id = edits.deal_id
    left join cuts on deals.deal_id = cuts.deal_id
    left join timelines on deals.deal_id = timelines.deal_id
    left join competitors_told on deals.crm = competitors_told.crm
    left join steps_told on deals.crm = steps_told.crm
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
        when joined.found_cause = 'unknown'
            then 'Nothing was late that costs deals of this stage and segment'
        else
            case joined.found_cause
                when 'no_decision_maker' then 'Nobody who decides was on the deal'
                else labels.step_label || ' was late'
            end
            || case when joined.found_cause = 'late_proposal_silence' then ', and the client fell silent' else '' end
            || ', to be seen since ' || cast(cast(joined.visible_at as date) as {{ dbt.type_string() }})
            || '; ' || {{ percent('joined.share') }} || ' of such losses would not have been ('
            || {{ percent('joined.share_low') }} || ' to ' || {{ percent('joined.share_high') }} || ')'
    end
    || case
        when joined.is_silent_death
            then
                '. Open in the CRM, but the client was last heard '
                || cast(cast(joined.silence_days as {{ dbt.type_bigint() }}) as {{ dbt.type_string() }}) || ' days ago'
        when joined.stated_reason_kind = 'unknown' then '. No reason was stated'
        else '. Stated: ' || replace(joined.stated_reason_kind, '_', ' ') || case
            when joined.is_reason_supported then ', which the facts bear out'
            when not joined.is_reason_supported then ', which the facts do not bear out'
            else ''
        end
    end as sentence,
    cast((select as_of from {{ ref('stg_as_of') }}) as date) as as_of
from joined
left join (
    select
        step,
        max(step_label) as step_label
    from {{ ref('journey_map') }}
    group by step
) as labels on joined.thing = labels.step
