-- Stages that deals are or were in but that no pipeline of their CRM defines: a stay in one is not lost. They have no
-- place before or after another.
with named as (
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
    union all
    select
        deal_id,
        crm,
        stage
    from {{ ref('crm_deals') }}
)

select distinct
    deals.crm || ':' || deals.pipeline || ':' || named.stage as stage_id,
    deals.crm,
    deals.pipeline,
    named.stage
from named
inner join {{ ref('crm_deals') }} as deals on named.deal_id = deals.deal_id
where
    not deals.is_deleted
    and not exists (
        select 1 from {{ ref('crm_stages') }} as defined
        where defined.crm = named.crm and defined.stage = named.stage
    )
