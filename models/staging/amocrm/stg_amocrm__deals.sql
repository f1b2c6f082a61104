-- A deal in the bin is a row of another answer: it ends the deal unless the deal changed after it, and so was restored.
with source as (
    {{ current_versions(ref('base_amocrm__leads')) }}
),

deleted as (
    {{ current_versions(source('amocrm', 'leads_deleted')) }}
),

renamed as (
    select
        -- ids
        'amocrm:' || source.lead_id as deal_id,
        'amocrm:' || source.company_id as account_id,
        'amocrm:' || source.owner_id as owner_id,

        -- attributes
        'amocrm' as crm,
        source.name as deal_name,
        source.pipeline,
        source.stage,
        source.status,
        cast(null as {{ dbt.type_string() }}) as currency, -- amoCRM knows none
        source.channel,
        source.product,
        source.loss_reason,
        source.competitor,

        -- numbers
        source.amount,
        source.margin_rate,

        -- booleans
        source.is_deleted
        or (deleted.id is not null and coalesce(deleted.updated_at >= source.updated_at, true)) as is_deleted,

        -- timestamps, UTC
        source.created_at,
        source.expected_close_date,
        source.closed_at,
        source.updated_at,
        source._extracted_at
    from source
    left join deleted on source.lead_id = deleted.id
)

select * from renamed
