with users as (
    {{ current_versions(source('salesforce', 'user')) }}
),

roles as (
    {{ current_versions(source('salesforce', 'user_role')) }}
)

select
    -- ids
    'salesforce:' || users.id as user_id,
    'salesforce:' || users.manager_id as manager_id,

    -- attributes
    'salesforce' as crm,
    users.name as user_name,
    roles.name as team,

    -- booleans
    coalesce(users.is_active, true) as is_active
from users
left join roles on users.user_role_id = roles.id
