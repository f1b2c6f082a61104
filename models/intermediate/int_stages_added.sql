-- Stages that a pipeline needs and its dictionary lacks. Every deal can be won and lost, but some CRMs only set a
-- status. And a client's journey goes on after the win, to first use and first revenue, which few pipelines name.
with pipelines as (
    select
        crm,
        pipeline
    from {{ ref('crm_deal_versions') }}
    union
    select
        crm,
        pipeline
    from {{ ref('crm_stages') }}
),

defined as (
    select
        stages.crm,
        stages.pipeline,
        max(stages.position) as last_position,
        bool_or(stages.is_won) as has_won,
        bool_or(stages.is_lost) as has_lost,
        bool_or(stages.position > wins.position and not stages.is_won and not stages.is_lost) as has_onboarding
    from {{ ref('crm_stages') }} as stages
    left join (
        select
            crm,
            pipeline,
            min(position) as position
        from {{ ref('crm_stages') }}
        where is_won
        group by crm, pipeline
    ) as wins on stages.crm = wins.crm and stages.pipeline = wins.pipeline
    group by stages.crm, stages.pipeline
),

candidates as (
    select
        'won' as stage,
        1 as place
    union all
    select
        'lost' as stage,
        2 as place
    union all
    select
        'first use' as stage,
        3 as place
    union all
    select
        'first revenue' as stage,
        4 as place
)

select
    pipelines.crm || ':' || pipelines.pipeline || ':(' || candidates.stage || ')' as stage_id,
    pipelines.crm,
    pipelines.pipeline,
    '(' || candidates.stage || ')' as stage,
    case when candidates.place > 2 then 'onboarding' end as phase,
    coalesce(defined.last_position, 0) + candidates.place as position,
    candidates.stage = 'won' as is_won,
    candidates.stage = 'lost' as is_lost
from pipelines
cross join candidates
left join defined on pipelines.crm = defined.crm and pipelines.pipeline = defined.pipeline
where
    case candidates.stage
        when 'won' then not coalesce(defined.has_won, false)
        when 'lost' then not coalesce(defined.has_lost, false)
        else not coalesce(defined.has_onboarding, false)
    end
