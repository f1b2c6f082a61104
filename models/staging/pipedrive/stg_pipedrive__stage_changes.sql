-- Moves between stages, and changes of the status, which Pipedrive logs apart: a deal that is lost enters Lost, and one
-- that is opened again goes back to the stage it was in. Where no entry says which, it is the one it shows now.
with changes as (
    select * from {{ ref('base_pipedrive__changes') }}
    where field_key in ('stage_id', 'status')
),

placed as (
    select
        *,
        last(case when field_key = 'stage_id' then new_value end ignore nulls) over earlier as stage_before,
        first(case when field_key = 'stage_id' then old_value end ignore nulls) over later as stage_after
    from changes
    window
        earlier as (
            partition by deal_id order by changed_at, entry_number
            rows between unbounded preceding and 1 preceding
        ),
        later as (
            partition by deal_id order by changed_at, entry_number
            rows between 1 following and unbounded following
        )
),

stages as (
    select
        stage_id,
        stage
    from {{ ref('base_pipedrive__stages') }}
),

resolved as (
    select
        placed.deal_id,
        placed.changed_by_id,
        placed.changed_at,
        case
            when placed.field_key = 'stage_id' then coalesce(old_stages.stage, placed.old_value)
            when placed.old_value = 'won' then 'Won'
            when placed.old_value = 'lost' then 'Lost'
            else coalesce(open_stages.stage, placed.stage_before, placed.stage_after, deals.last_stage)
        end as from_stage,
        case
            when placed.field_key = 'stage_id' then coalesce(new_stages.stage, placed.new_value)
            when placed.new_value = 'won' then 'Won'
            when placed.new_value = 'lost' then 'Lost'
            when placed.new_value = 'open'
                then coalesce(open_stages.stage, placed.stage_before, placed.stage_after, deals.last_stage)
        end as to_stage
    from placed
    left join stages as old_stages on placed.old_value = old_stages.stage_id
    left join stages as new_stages on placed.new_value = new_stages.stage_id
    left join stages as open_stages
        on coalesce(placed.stage_before, placed.stage_after) = open_stages.stage_id
    left join (
        {{ current_versions(ref('base_pipedrive__deals')) }}
    ) as deals on 'pipedrive:' || placed.deal_id = deals.deal_id
)

select
    -- ids
    'pipedrive:' || deal_id as deal_id,
    'pipedrive:' || changed_by_id as changed_by_id,

    -- attributes
    'pipedrive' as crm,
    from_stage,
    to_stage,

    -- timestamps, UTC
    changed_at,
    changed_at as recorded_at
from resolved
where to_stage is not null
