with source as (
    {{ current_versions(source('amocrm', 'users')) }}
),

renamed as (
    select
        -- ids
        'amocrm:' || id as user_id,
        cast(null as {{ dbt.type_string() }}) as manager_id, -- amoCRM knows groups, not who leads them

        -- attributes
        'amocrm' as crm,
        name as user_name,
        {{ json_text('embedded', '$.groups[0].name') }} as team,

        -- booleans
        coalesce({{ json_text('rights', '$.is_active') }} = 'true', true) as is_active
    from source
)

select * from renamed
