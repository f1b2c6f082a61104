-- Stages that deals are or were in but that no pipeline of their CRM defines: a stay in one is not lost. They have no
-- place before or after another. A log names no pipeline, so there it is the deal's own.
with logged as (
    select
        deal_id,
        crm,
        to_stage as stage
    from {{ ref('crm_stage_changes') }}
    union all
    select
        deal_id,
        crm,
        from_stage as stage
    from {{ ref('crm_stage_changes') }}
    where from_stage is not null
),

named as (
    select
        deals.crm,
        deals.pipeline,
        logged.stage
    from logged
    inner join {{ ref('crm_deals') }} as deals on logged.deal_id = deals.deal_id
    where not deals.is_deleted
    union all
    -- one that any extract saw, even if its deal has been elsewhere since
    select
        crm,
        pipeline,
        stage
    from {{ ref('crm_deal_versions') }}
    where not is_deleted
),

defined as (
    select
        crm,
        stage
    from {{ ref('crm_stages') }}
    union all
    -- a log may say the stage's id
    select
        crm,
        stage_id as stage
    from {{ ref('crm_stages') }}
)

select distinct
    crm || ':' || pipeline || ':' || stage as stage_id,
    crm,
    pipeline,
    stage
from named
where
    not exists (
        select 1 from defined
        where named.crm = defined.crm and named.stage = defined.stage
    )
