with source as (
    {{ current_versions(source('pipedrive', 'users')) }}
)

select
    -- ids
    'pipedrive:' || id as user_id,
    cast(null as {{ dbt.type_string() }}) as manager_id,

    -- attributes
    'pipedrive' as crm,
    name as user_name,
    cast(null as {{ dbt.type_string() }}) as team,

    -- booleans
    coalesce(active_flag, true) as is_active
from source
