with source as (
    {{ current_versions(source('generic', 'accounts')) }}
),

renamed as (
    select
        -- ids
        'generic:' || account_id as account_id,

        -- attributes
        'generic' as crm,
        account_name,
        industry,
        region,
        segment,
        domain,
        tax_id,

        -- numbers
        employee_count,
        annual_revenue
    from source
)

select * from renamed
