with source as (
    {{ current_versions(source('generic', 'contacts')) }}
),

renamed as (
    select
        -- ids
        'generic:' || contact_id as contact_id,
        'generic:' || account_id as account_id,

        -- attributes
        'generic' as crm,
        job_title
    from source
)

select * from renamed
