select
    users.user_id,
    users.crm,
    users.user_name,
    coalesce(users.team, 'unknown') as team,
    users.manager_id,
    managers.user_name as manager_name,
    users.is_active
from {{ ref('crm_users') }} as users
left join {{ ref('crm_users') }} as managers on users.manager_id = managers.user_id
