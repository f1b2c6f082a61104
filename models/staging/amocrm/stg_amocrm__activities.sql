-- What passed between the client and us, as the log has it. Meetings are known only as tasks of that kind, once done.
with events as (
    select *
    from (
        {{ current_versions(source('amocrm', 'events')) }}
    ) as current_events
    where
        type in (
            'incoming_call', 'outgoing_call', 'incoming_mail', 'outgoing_mail', 'incoming_sms', 'outgoing_sms',
            'incoming_chat_message', 'outgoing_chat_message', 'common_note_added'
        )
),

renamed as (
    select
        -- ids
        'amocrm:' || id as activity_id,
        case when entity_type = 'lead' then 'amocrm:' || entity_id end as deal_id,
        'amocrm:' || nullif(created_by, '0') as owner_id,
        case when entity_type = 'contact' then 'amocrm:' || entity_id end as contact_id,

        -- attributes
        'amocrm' as crm,
        case
            when type like '%_call' then 'call'
            when type like '%_mail' then 'email'
            when type like '%_note_added' then 'note'
            else 'message'
        end as activity_type,
        case when type like 'incoming_%' then 'in' when type like 'outgoing_%' then 'out' end as direction,
        cast(null as {{ dbt.type_string() }}) as outcome,

        -- timestamps, UTC
        created_at as occurred_at,
        created_at as logged_at
    from events
),

meetings as (
    select
        -- ids
        'amocrm:task:' || task_id as activity_id,
        'amocrm:' || lead_id as deal_id,
        'amocrm:' || responsible_user_id as owner_id,
        'amocrm:' || contact_id as contact_id,

        -- attributes
        'amocrm' as crm,
        'meeting' as activity_type,
        cast(null as {{ dbt.type_string() }}) as direction,
        'held' as outcome,

        -- timestamps, UTC
        completed_at as occurred_at,
        completed_at as logged_at
    from {{ ref('base_amocrm__tasks') }}
    where task_type_id = '2' and completed_at is not null
)

select * from renamed
union all
select * from meetings
