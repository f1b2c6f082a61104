-- Every pipeline can be won and lost, but not every CRM has a stage for it: some only set a status.
-- Where the dictionary has no won or lost stage, one is added, so that a deal always ends in a stage.
with stages as (
    select
        *,
        true as is_defined
    from {{ ref('crm_stages') }}
),

pipelines as (
    select
        crm,
        pipeline
    from {{ ref('crm_deals') }}
    union
    select
        crm,
        pipeline
    from stages
),

endings as (
    select 'won' as outcome
    union all
    select 'lost' as outcome
),

outcomes as (
    select
        crm,
        pipeline,
        max(position) as last_position,
        coalesce(bool_or(is_won), false) as has_won,
        coalesce(bool_or(is_lost), false) as has_lost
    from stages
    group by crm, pipeline
),

added as (
    select
        pipelines.crm || ':' || pipelines.pipeline || ':(' || endings.outcome || ')' as stage_id,
        pipelines.crm,
        pipelines.pipeline,
        '(' || endings.outcome || ')' as stage,
        cast(null as {{ dbt.type_string() }}) as phase,
        coalesce(outcomes.last_position, 0) + case endings.outcome when 'won' then 1 else 2 end as position,
        case endings.outcome when 'won' then 1.0 else 0.0 end as crm_probability,
        endings.outcome = 'won' as is_won,
        endings.outcome = 'lost' as is_lost,
        false as is_defined
    from pipelines
    cross join endings
    left join outcomes
        on pipelines.crm = outcomes.crm and pipelines.pipeline = outcomes.pipeline
    where
        (endings.outcome = 'won' and not coalesce(outcomes.has_won, false))
        or (endings.outcome = 'lost' and not coalesce(outcomes.has_lost, false))
)

select
    stage_id,
    crm,
    pipeline,
    stage,
    phase,
    position,
    crm_probability,
    is_won,
    is_lost,
    is_defined
from stages
union all
select
    stage_id,
    crm,
    pipeline,
    stage,
    phase,
    position,
    crm_probability,
    is_won,
    is_lost,
    is_defined
from added
