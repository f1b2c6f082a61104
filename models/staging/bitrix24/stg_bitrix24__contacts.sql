with source as (
    {{ current_versions(source('bitrix24', 'contacts')) }}
),

renamed as (
    select
        -- ids
        'bitrix24:' || id as contact_id,
        'bitrix24:' || nullif(company_id, '0') as account_id,

        -- attributes
        'bitrix24' as crm,
        post as job_title
    from source
)

select * from renamed
