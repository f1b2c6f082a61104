{{ config(meta={'dagster': {'ref': {'name': 'fct_journey_steps'}}}) }}

-- Told again from the stays and the map, the long way: a deal that entered a stage, was created or was won has one row
-- for each step that the map in force then hangs on it, and a step without such an event has none. Looks at the
-- triggers that need no rounds and at the deals that tonight rebuilt.
with deals as (
    select * from {{ ref('dim_deals') }}
    where _load_id = (select newest_load_id from {{ ref('stg_as_of') }})
),

events as (
    select
        deal_id,
        'deal_created' as trigger,
        cast(null as {{ dbt.type_string() }}) as trigger_name,
        created_at as occurred_at
    from deals
    union all
    select
        visits.deal_id,
        'stage_entered' as trigger,
        stages.stage as trigger_name,
        min(visits.entered_at) as occurred_at
    from {{ ref('fct_stage_visits') }} as visits
    inner join {{ ref('dim_stages') }} as stages on visits.stage_id = stages.stage_id
    group by visits.deal_id, stages.stage
    union all
    select
        visits.deal_id,
        'won' as trigger,
        cast(null as {{ dbt.type_string() }}) as trigger_name,
        min(visits.entered_at) as occurred_at
    from {{ ref('fct_stage_visits') }} as visits
    inner join {{ ref('dim_stages') }} as stages on visits.stage_id = stages.stage_id
    where stages.is_won
    group by visits.deal_id
),

expected as (
    select distinct
        deals.deal_id,
        lines.step
    from deals
    inner join events on deals.deal_id = events.deal_id
    inner join {{ ref('journey_map') }} as lines
        on
            lines.segment in (deals.segment, '*')
            and events.trigger = lines.trigger
            and events.trigger_name is not distinct from lines.trigger_name
            and events.occurred_at >= lines.valid_from
            and events.occurred_at < coalesce(lines.valid_to, cast('9999-12-31' as date))
    where
        lines.segment = deals.segment
        or not exists (
            select 1 from {{ ref('journey_map') }} as own
            where
                own.segment = deals.segment
                and own.step = lines.step
                and events.occurred_at >= own.valid_from
                and events.occurred_at < coalesce(own.valid_to, cast('9999-12-31' as date))
        )
),

built as (
    select
        deal_id,
        step,
        count(*) as copies
    from {{ ref('fct_journey_steps') }}
    where deal_id in (select deal_id from deals)
    group by deal_id, step
)

select
    coalesce(expected.deal_id, built.deal_id) as deal_id,
    coalesce(expected.step, built.step) as step,
    built.copies
from expected
full outer join built on expected.deal_id = built.deal_id and expected.step = built.step
where
    coalesce(built.copies, 0) > 1
    or (expected.step is not null and built.step is null)
