{{ config(meta={'dagster': {'ref': {'name': 'fct_journey_steps'}}}) }}

-- Told again from the stays and the map, the long way: a deal that entered a stage, was created or was won has one row
-- for each step that the map in force then hangs on it, and a step without such an event has none. Looks at the
-- triggers that need no rounds and at the deals that tonight rebuilt.
with deals as (
    select * from {{ ref('dim_deals') }}
    where _load_id = (select newest_load_id from {{ ref('stg_as_of') }})
),

visits as (
    select * from {{ ref('fct_stage_visits') }}
    where _load_id = (select newest_load_id from {{ ref('stg_as_of') }})
),

events as (
    select
        _deal_number,
        'deal_created' as trigger,
        cast(null as {{ dbt.type_string() }}) as trigger_name,
        created_at as occurred_at
    from deals
    union all
    select
        visits._deal_number,
        'stage_entered' as trigger,
        stages.stage as trigger_name,
        min(visits.entered_at) as occurred_at
    from visits
    inner join {{ ref('dim_stages') }} as stages on visits.stage_id = stages.stage_id
    group by visits._deal_number, stages.stage
    union all
    select
        visits._deal_number,
        'won' as trigger,
        cast(null as {{ dbt.type_string() }}) as trigger_name,
        min(visits.entered_at) as occurred_at
    from visits
    inner join {{ ref('dim_stages') }} as stages on visits.stage_id = stages.stage_id
    where stages.is_won
    group by visits._deal_number
),

expected as (
    select
        deals._deal_number,
        lines.step,
        1 as is_expected,
        0 as is_built
    from deals
    inner join events on deals._deal_number = events._deal_number
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
        _deal_number,
        step,
        0 as is_expected,
        1 as is_built
    from {{ ref('fct_journey_steps') }}
    where _load_id = (select newest_load_id from {{ ref('stg_as_of') }})
),

compared as (
    select * from expected
    union all
    select * from built
)

select
    _deal_number,
    step,
    sum(is_built) as copies
from compared
group by _deal_number, step
having sum(is_built) > 1 or (sum(is_expected) > 0 and sum(is_built) = 0)
