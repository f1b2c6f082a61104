with source as (
    {{ current_versions(source('amocrm', 'contacts')) }}
),

renamed as (
    select
        -- ids
        'amocrm:' || id as contact_id,
        'amocrm:' || {{ json_text('embedded', '$.companies[0].id') }} as account_id,

        -- attributes
        'amocrm' as crm,
        -- a field that every account has
        {{ json_text(json_item_where('custom_fields_values', ['field_code'], 'POSITION'), '$.values[0].value') }} as job_title
    from source
)

select * from renamed
