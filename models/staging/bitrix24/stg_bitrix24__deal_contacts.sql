-- The list of deals has the first contact alone, crm.item.list has all of them. Nothing tells since when, or in which
-- role.
with source as (
    {{ current_versions(ref('base_bitrix24__deals')) }}
),

contacts as (
    select
        deal_id,
        {{ json_each('contact_ids', '$') }} as contact
    from source
),

renamed as (
    select distinct
        -- ids
        'bitrix24:' || deal_id as deal_id,
        'bitrix24:' || {{ json_text('contact', '$') }} as contact_id,

        -- attributes
        'bitrix24' as crm,
        cast(null as {{ dbt.type_string() }}) as role,

        -- booleans
        cast(null as boolean) as is_decision_maker,

        -- timestamps, UTC
        cast(null as {{ dbt.type_timestamp() }}) as added_at
    from contacts
)

select * from renamed
