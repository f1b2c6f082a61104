{{ config(meta={'dagster': {'ref': {'name': 'int_journey_lines_resolved'}}}) }}

-- Every line of the journey map can be acted on: it has a deadline, a trigger with its name, evidence, and follows
-- only a step of the map, three in a row at most.
with lines as (
    select * from {{ ref('journey_map') }}
    where trigger <> 'never'
),

faults as (
    select
        step,
        version,
        'the deadline must be above 0 and have a unit' as fault
    from lines
    where coalesce(deadline_amount, 0) <= 0 or deadline_unit is null
    union all
    select
        step,
        version,
        'business days are whole' as fault
    from lines
    where deadline_unit = 'business_days' and deadline_amount <> floor(deadline_amount)
    union all
    select
        step,
        version,
        'the trigger needs the name of a stage, phase or step' as fault
    from lines
    where trigger in ('stage_entered', 'phase_entered', 'step_done') and trigger_name is null
    union all
    select
        step,
        version,
        'nothing in journey_evidence counts as doing it' as fault
    from lines
    where coalesce(evidence, step) not in (select evidence from {{ ref('journey_evidence') }})
    union all
    select
        step,
        version,
        'the step it follows is not in the map' as fault
    from lines
    where
        trigger = 'step_done'
        and trigger_name not in (
            select step from {{ ref('journey_map') }}
            where trigger <> 'never'
        )
    union all
    select
        third.step,
        third.version,
        'three steps may follow each other, not more' as fault
    from lines as third
    inner join lines as second
        on third.trigger_name = second.step and third.trigger = 'step_done' and second.trigger = 'step_done'
    inner join lines as first_step
        on second.trigger_name = first_step.step and first_step.trigger = 'step_done'
    union all
    select
        step,
        version,
        'it ends before it begins' as fault
    from lines
    where valid_to <= valid_from
    union all
    select
        step,
        version,
        'what the win starts is of the onboarding: all other steps end with the win' as fault
    from lines
    where trigger = 'won' and phase <> 'onboarding'
)

select * from faults
