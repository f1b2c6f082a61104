-- What could have turned bad while a deal was in a stage, and how far it did: a step of the journey that was due by then,
-- a decision maker who should be on the deal when it enters. A stay counts at so many days after each deadline at which it
-- still lasted, and as exposed at those of them at which the thing was still not done. So late and in time are
-- compared among stays that had lasted as long; a deal that left before the deadline says nothing of it. What was late in
-- an earlier stage counts from the entry on. A step that was never done, in a deal whose client was not heard after its
-- deadline, is left out: the deal may have been dead before, and the step not done because it was.
{% set named = var('indicator_steps') %}
with as_of as (
    select * from {{ ref('stg_as_of') }}
),

stays as (
    select
        visits._deal_number as deal_number,
        visits.deal_id,
        visits.visit_number,
        visits.stage_id,
        visits.segment,
        visits.exit_type,
        visits.is_left_truncated,
        visits.entered_at,
        coalesce(visits.exited_at, as_of.as_of) as lasted_until_at,
        visits.exited_at
    from {{ ref('fct_stage_visits') }} as visits
    cross join as_of
    inner join {{ ref('dim_stages') }} as stages on visits.stage_id = stages.stage_id
    where
        not visits.is_after_closing
        and not stages.is_won and not stages.is_lost and coalesce(stages.phase, '') <> 'onboarding'
),

deciders as (
    select
        deals._deal_number as deal_number,
        added.changed_at as done_at
    from {{ ref('dim_deals') }} as deals
    -- of a CRM that does not say who decides, nothing is known
    inner join {{ ref('int_capabilities_found') }} as given
        on deals.crm = given.crm and given.capability = 'decision_maker'
    left join {{ ref('ind_decision_maker_involved') }} as added on deals.deal_id = added.deal_id
),

heard as (
    select
        deals._deal_number as deal_number,
        max({{ dbt.dateadd('second', 'cast(-86400 * steps.value as ' ~ dbt.type_bigint() ~ ')', 'steps.changed_at') }})
            as last_heard_at
    from {{ ref('ind_silence_days') }} as steps
    inner join {{ ref('dim_deals') }} as deals on steps.deal_id = deals.deal_id
    -- without activities nobody knows
    inner join {{ ref('int_capabilities_found') }} as given
        on deals.crm = given.crm and given.capability = 'activity'
    group by deals._deal_number
),

things as (
    select
        stays.*,
        'no_decision_maker' as cause,
        'decision_maker' as thing,
        stays.entered_at as due_at,
        deciders.done_at
    from stays
    inner join deciders on stays.deal_number = deciders.deal_number
    union all
    select
        stays.*,
        case steps.step
            when '{{ named["proposal"] }}' then 'late_proposal'
            when '{{ named["legal"] }}' then 'legal_stalled'
            else 'step_missed'
        end as cause,
        steps.step as thing,
        steps.due_at,
        steps.done_at
    from stays
    inner join {{ ref('fct_journey_steps') }} as steps on stays.deal_number = steps._deal_number
    left join heard on stays.deal_number = heard.deal_number
    where
        steps.phase <> 'onboarding'
        and steps.not_measurable_reason is null
        and steps.due_at < stays.lasted_until_at
        and (
            steps.done_at < stays.lasted_until_at
            or coalesce(heard.last_heard_at > steps.due_at, true)
        )
        -- who decides is told by the people on the deal
        and steps.step not in ({{ decider_steps() }})
)

select
    deal_number,
    deal_id,
    visit_number,
    stage_id,
    segment,
    exit_type,
    is_left_truncated,
    exited_at,
    cause,
    thing,
    due_at,
    done_at,
    -- how many of the delays it lasted, and how many it was late
    {{ delays_within('lasted_until_at') }} as delays_lasted,
    {{ delays_within('least(lasted_until_at, coalesce(done_at, lasted_until_at))') }} as delays_late
from things
