{{ config(materialized='incremental', incremental_strategy='by_deal') }}

-- All that happened is kept with its time; status and is_on_time are those times read at as_of. They change when a
-- deadline passes, or the CRM first gives what a step is told by, without any news of the deal: a night takes in the
-- deals of which that is true.
-- depends_on: {{ ref('int_journey_steps_proven') }}, {{ ref('int_deals_touched') }}
{% set far = "cast('9999-12-31' as " ~ dbt.type_timestamp() ~ ')' %}
with as_of as (
    select * from {{ ref('stg_as_of') }}
),

steps as (
    select * from {{ ref('int_journey_steps_dated') }}
    {% if is_incremental() %}
        -- one list, so that all others are left out before their deadlines are looked up
        where deal_number in (
            select deal_number from {{ ref('int_journey_steps_proven') }}
            where {{ is_newly_built() }}
            union all
            select _deal_number from {{ this }}
            where
                (status = 'not_yet_due' and due_at < (select as_of from as_of))
                or (
                    not_measurable_reason like 'never given by %'
                    and not_measurable_reason not in (
                        select never_given from {{ ref('int_journey_evidence_seen') }}
                        where never_given is not null
                    )
                )
        )
    {% endif %}
),

deals as (
    select
        deals._deal_number as deal_number,
        deals.deal_id,
        deals.crm,
        deals.pipeline,
        deals.segment,
        deals.owner_id as deal_owner_id,
        facts.lost_at,
        facts.won_at
    from {{ ref('dim_deals') }} as deals
    inner join {{ ref('fct_deals') }} as facts on deals._deal_number = facts._deal_number
),

timed as (
    select
        steps.*,
        deals.deal_id,
        deals.segment,
        deals.deal_owner_id,
        stages.stage_id,
        -- after a win only the onboarding goes on
        case when steps.phase = 'onboarding' then deals.lost_at else coalesce(deals.lost_at, deals.won_at) end
            as ended_at,
        case
            when seen.evidence is null then 'the CRM gives no such data'
            when seen.never_given is not null then seen.never_given
            when steps.is_done_undated then 'the CRM gives no time of completion'
            when not steps.is_triggered_at_exact then 'when the step began is not known'
            when steps.due_at is null then 'the deadline is beyond the calendar'
        end as not_measurable_reason
    from steps
    inner join deals on steps.deal_number = deals.deal_number
    left join {{ ref('int_stages_completed') }} as stages
        on deals.crm = stages.crm and deals.pipeline = stages.pipeline and steps.stage = stages.stage
    left join {{ ref('int_journey_evidence_seen') }} as seen
        on deals.crm = seen.crm and steps.evidence = seen.evidence
),

judged as (
    select
        timed.*,
        case
            when timed.done_at > timed.due_at then 'done_late'
            when timed.done_at is not null or timed.is_done_undated then 'done'
            when timed.not_measurable_reason is not null then 'not_measurable'
            when timed.passed_at is not null then 'skipped'
            when timed.ended_at <= timed.due_at then 'cancelled'
            when timed.ended_at is not null then 'missed'
            when timed.due_at < as_of.as_of then 'overdue'
            else 'not_yet_due'
        end as status,
        case when timed.done_at > timed.due_at then cast(timed.due_at as date) end as late_due_date,
        -- who gets the deal later answers for none of it
        least(
            coalesce(timed.due_at, {{ far }}), coalesce(timed.done_at, {{ far }}), coalesce(timed.passed_at, {{ far }})
        ) as decided_at
    from timed
    cross join as_of
)

select
    judged.deal_id || '#' || judged.step as journey_step_id,
    judged.deal_id,
    judged.stage_id,
    coalesce(
        judged.task_owner_id,
        case when owners.deal_number is null then judged.deal_owner_id else owners.owner_id end
    ) as owner_id,
    judged.segment,
    judged.phase,
    judged.step,
    judged.role,
    judged.map_version,
    judged.status,
    judged.done_by,
    judged.not_measurable_reason,
    judged.step_number,
    case
        when judged.status = 'done_late'
            then {{ dbt.datediff('judged.due_at', 'judged.done_at', 'second') }} / cast(3600 as double)
    end as late_by_hours,
    (
        {{ business_seconds_at('done_day', 'judged.done_at') }} - {{ business_seconds_at('due_day', 'judged.due_at') }}
    ) / cast(3600 as double) as late_by_business_hours,
    -- what was done before its trigger took no time
    cast(
        case
            when judged.done_at <= judged.triggered_at then 0
            else
                {{ business_day_number_at('done_day', 'judged.done_at') }}
                - {{ business_day_number_at('trigger_day', 'judged.triggered_at') }}
        end as integer
    ) as business_days_to_done,
    judged.is_required,
    case
        when judged.not_measurable_reason is not null then null
        when judged.status = 'done' then true
        when judged.status in ('done_late', 'overdue', 'missed', 'skipped') then false
    end as is_on_time,
    judged.done_at <= judged.task_original_due_at as is_by_first_task_deadline,
    judged.task_due_at <> judged.task_original_due_at as was_deadline_moved,
    judged.triggered_at,
    judged.due_at,
    judged.task_original_due_at,
    judged.task_due_at,
    judged.done_at,
    -- kept where the step was done after all, so that what was shown then can be told
    case when judged.done_at is null or judged.done_at > judged.passed_at then judged.passed_at end as skipped_at,
    judged.ended_at,
    judged.deal_number as _deal_number,
    (select newest_load_id from as_of) as _load_id
from judged
left join {{ ref('int_business_days') }} as due_day
    on judged.country = due_day.country and judged.late_due_date = due_day.date_day
left join {{ ref('int_business_days') }} as done_day
    on judged.country = done_day.country and cast(judged.done_at as date) = done_day.date_day
left join {{ ref('int_business_days') }} as trigger_day
    on judged.country = trigger_day.country and cast(judged.triggered_at as date) = trigger_day.date_day
left join {{ ref('int_deal_owners_versioned') }} as owners
    on
        judged.deal_number = owners.deal_number
        and judged.decided_at >= owners.valid_from
        and judged.decided_at < owners.valid_to
