-- The deadline by the map, on the business clock of the deal's country. It counts from the trigger and nothing moves
-- it. Where the time of the trigger is only a bound, there is no deadline.
with lines as (
    select distinct
        journey_line_id,
        map_version,
        phase,
        stage,
        step_number,
        step,
        evidence,
        role,
        is_required,
        deadline_amount,
        deadline_unit
    from {{ ref('int_journey_lines_resolved') }}
),

steps as (
    select
        proven.*,
        lines.map_version,
        lines.phase,
        lines.stage,
        lines.step_number,
        lines.step,
        lines.evidence,
        lines.role,
        lines.is_required,
        lines.deadline_amount,
        lines.deadline_unit,
        deals.country,
        case when proven.is_triggered_at_exact then proven.triggered_at end as clock_starts_at
    from {{ ref('int_journey_steps_proven') }} as proven
    inner join lines on proven.journey_line_id = lines.journey_line_id
    inner join {{ ref('dim_deals') }} as deals on proven.deal_number = deals._deal_number
),

started as (
    select
        steps.*,
        case
            when steps.deadline_unit = 'business_hours'
                then
                    {{ business_seconds_at('days', 'steps.clock_starts_at') }}
                    + cast(3600 * steps.deadline_amount as {{ dbt.type_bigint() }})
        end as target_seconds,
        case
            when steps.deadline_unit = 'business_days'
                then
                    {{ business_day_number_at('days', 'steps.clock_starts_at') }}
                    + cast(steps.deadline_amount as {{ dbt.type_bigint() }})
        end as target_day_number
    from steps
    left join {{ ref('int_business_days') }} as days
        on steps.country = days.country and cast(steps.clock_starts_at as date) = days.date_day
)

select
    started.*,
    case started.deadline_unit
        when 'business_hours' then {{ moment_of_business_seconds('slots', 'started.target_seconds') }}
        when 'business_days' then ended.closes_at
        when 'calendar_days' then
            {{ dbt.dateadd(
                'second', 'cast(86400 * started.deadline_amount as ' ~ dbt.type_bigint() ~ ')', 'started.clock_starts_at'
            ) }}
    end as due_at
from started
left join {{ ref('int_business_slots') }} as slots
    on started.country = slots.country and {{ business_slot_of('started.target_seconds') }} = slots.slot_number
left join {{ ref('int_business_days_ended') }} as ended
    on started.country = ended.country and started.target_day_number = ended.business_day_number
