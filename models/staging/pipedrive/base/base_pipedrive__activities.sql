-- Activities with their deadline as one time. Pipedrive keeps the day apart from the time, and the time is UTC; an
-- activity without a time is due by the end of its day.
with source as (
    {{ current_versions(source('pipedrive', 'activities')) }}
),

timed as (
    select
        *,
        lower(trim(done)) in ('true', '1', 'done', 'yes') as is_done,
        coalesce(
            try_cast(
                cast(due_date as {{ dbt.type_string() }}) || ' ' || nullif(trim(due_time), '')
                as {{ dbt.type_timestamp() }}
            ),
            {{ dbt.dateadd('second', -1, dbt.dateadd('day', 1, 'cast(due_date as ' ~ dbt.type_timestamp() ~ ')')) }}
        ) as due_at
    from source
    where not coalesce(is_deleted, false)
)

select
    -- ids
    'pipedrive:' || id as activity_id,
    'pipedrive:' || deal_id as deal_id,
    'pipedrive:' || {{ pipedrive_id('assigned_to_user_id') }} as owner_id,
    'pipedrive:' || {{ pipedrive_id('person_id') }} as contact_id,

    -- attributes
    type as activity_type,

    -- booleans
    is_done,

    -- timestamps, UTC
    add_time as created_at,
    due_at,
    -- what is not done has no time at which it was
    case when is_done then marked_as_done_time end as done_at
from timed
