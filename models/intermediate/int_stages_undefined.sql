-- Stages that deals are or were in but that no pipeline of their CRM defines: a stay in one is not lost. They have no
-- place before or after another. A log names no pipeline, so there it is the deal's own: nearly all of its rows name
-- stages that are defined, and are left out before their deals are looked up.
with defined as (
    select
        crm,
        stage
    from {{ ref('crm_stages') }}
    union
    -- a log may say the stage's id
    select
        crm,
        stage_id as stage
    from {{ ref('crm_stages') }}
),

logged as (
    {% for stage in ['to_stage', 'from_stage'] %}
        select
            changes.deal_id,
            changes.{{ stage }} as stage
        from {{ ref('crm_stage_changes') }} as changes
        left join defined on changes.crm = defined.crm and changes.{{ stage }} = defined.stage
        where defined.stage is null and changes.{{ stage }} is not null
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

undefined as (
    select
        deals.crm,
        deals.pipeline,
        logged.stage
    from logged
    inner join {{ ref('crm_deals') }} as deals on logged.deal_id = deals.deal_id
    where not deals.is_deleted
    union
    -- one that any extract saw, even if its deal has been elsewhere since
    select
        versions.crm,
        versions.pipeline,
        versions.stage
    from {{ ref('crm_deal_versions') }} as versions
    left join defined on versions.crm = defined.crm and versions.stage = defined.stage
    where defined.stage is null and not versions.is_deleted
)

select
    crm || ':' || pipeline || ':' || stage as stage_id,
    crm,
    pipeline,
    stage
from undefined
