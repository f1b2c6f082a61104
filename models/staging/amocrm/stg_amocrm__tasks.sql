with source as (
    select * from {{ ref('base_amocrm__tasks') }}
),

task_types as (
    {{ current_versions(source('amocrm', 'task_types')) }}
),

renamed as (
    select
        -- ids
        'amocrm:' || source.task_id as task_id,
        'amocrm:' || source.lead_id as deal_id,
        'amocrm:' || source.responsible_user_id as owner_id,

        -- attributes
        'amocrm' as crm,
        coalesce(
            task_types.name, case source.task_type_id when '1' then 'call' when '2' then 'meeting' else source.task_type_id end
        ) as task_type,

        -- booleans
        source.is_completed,

        -- timestamps, UTC
        source.created_at,
        source.due_at,
        source.original_due_at,
        source.completed_at
    from source
    left join task_types on source.task_type_id = task_types.id
)

select * from renamed
