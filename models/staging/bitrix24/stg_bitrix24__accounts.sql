with source as (
    {{ current_versions(source('bitrix24', 'companies')) }}
),

industries as (
    select
        status_id,
        name
    from (
        {{ current_versions(source('bitrix24', 'statuses')) }}
    ) as statuses
    where entity_id = 'INDUSTRY'
),

renamed as (
    select
        -- ids
        'bitrix24:' || source.id as account_id,

        -- attributes
        'bitrix24' as crm,
        source.title as account_name,
        coalesce({{ bitrix24_field('accounts', 'industry') }}, industries.name, nullif(source.industry, '')) as industry,
        coalesce({{ bitrix24_field('accounts', 'region') }}, nullif(source.address_province, '')) as region,
        {{ bitrix24_field('accounts', 'segment') }} as segment,
        coalesce(
            {{ bitrix24_field('accounts', 'domain') }}, {{ json_text('source.web', '$[0].VALUE') }}
        ) as domain,
        {{ bitrix24_field('accounts', 'tax_id') }} as tax_id,

        -- numbers; employees are given in ranges, which are no number
        try_cast({{ bitrix24_field('accounts', 'employee_count') }} as bigint) as employee_count,
        cast(round(source.revenue, 2) as decimal(18, 2)) as annual_revenue
    from source
    left join industries on source.industry = industries.status_id
)

select * from renamed
