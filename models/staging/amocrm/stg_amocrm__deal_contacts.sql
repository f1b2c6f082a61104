-- A deal names its contacts; when one was added, the log tells of those added later. amoCRM has no roles in a purchase.
with source as (
    {{ current_versions(ref('base_amocrm__leads')) }}
),

contacts as (
    select
        lead_id,
        {{ json_each('contacts', '$') }} as contact
    from source
),

links as (
    select
        entity_id as lead_id,
        {{ json_text('value_after', '$[0].link.entity.id') }} as contact_id,
        max(created_at) as added_at
    from (
        {{ current_versions(source('amocrm', 'events')) }}
    ) as events
    where
        entity_type = 'lead'
        and type = 'entity_linked'
        and {{ json_text('value_after', '$[0].link.entity.type') }} = 'contact'
    group by 1, 2
),

renamed as (
    select
        -- ids
        'amocrm:' || contacts.lead_id as deal_id,
        'amocrm:' || {{ json_text('contacts.contact', '$.id') }} as contact_id,

        -- attributes
        'amocrm' as crm,
        cast(null as {{ dbt.type_string() }}) as role,

        -- booleans
        cast(null as boolean) as is_decision_maker,

        -- timestamps, UTC
        links.added_at
    from contacts
    left join links
        on contacts.lead_id = links.lead_id and {{ json_text('contacts.contact', '$.id') }} = links.contact_id
)

select * from renamed
