-- All but the name are fields of the company's own making.
with source as (
    {{ current_versions(source('amocrm', 'companies')) }}
),

renamed as (
    select
        -- ids
        'amocrm:' || id as account_id,

        -- attributes
        'amocrm' as crm,
        name as account_name,
        {{ amocrm_field('accounts', 'industry') }} as industry,
        {{ amocrm_field('accounts', 'region') }} as region,
        {{ amocrm_field('accounts', 'segment') }} as segment,

        -- numbers
        try_cast({{ amocrm_field('accounts', 'employee_count') }} as bigint) as employee_count,
        try_cast({{ amocrm_field('accounts', 'annual_revenue') }} as decimal(18, 2)) as annual_revenue
    from source
)

select * from renamed
