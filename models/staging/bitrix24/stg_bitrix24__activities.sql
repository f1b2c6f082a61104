-- What passed between the client and us. A meeting that began after its last change was closed before its time: it is
-- dated by the change, since nothing happens in the future.
with source as (
    select * from {{ ref('base_bitrix24__activities') }}
    where is_held
),

dated as (
    select
        *,
        least(coalesce(starts_at, created_at), greatest(updated_at, created_at)) as occurred_at
    from source
),

renamed as (
    select
        -- ids
        'bitrix24:' || activity_id as activity_id,
        'bitrix24:' || deal_id as deal_id,
        'bitrix24:' || responsible_id as owner_id,
        'bitrix24:' || contact_id as contact_id,

        -- attributes
        'bitrix24' as crm,
        activity_type,
        direction,
        case when activity_type = 'meeting' then 'held' end as outcome,

        -- timestamps, UTC
        occurred_at,
        greatest(created_at, occurred_at) as logged_at -- what was planned is no log of it
    from dated
)

select * from renamed
