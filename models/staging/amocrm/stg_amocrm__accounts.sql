-- All but the name and the site are fields of the company's own making.
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
        coalesce(
            {{ amocrm_field('accounts', 'domain') }},
            {{ json_text(json_item_where('custom_fields_values', ['field_code'], 'WEB'), '$.values[0].value') }}
        ) as domain,
        {{ amocrm_field('accounts', 'tax_id') }} as tax_id,

        -- numbers
        try_cast({{ amocrm_field('accounts', 'employee_count') }} as bigint) as employee_count,
        try_cast({{ amocrm_field('accounts', 'annual_revenue') }} as decimal(18, 2)) as annual_revenue
    from source
)

select * from renamed
