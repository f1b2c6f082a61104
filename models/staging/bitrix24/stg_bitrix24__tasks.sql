-- Tasks proper, of deals alone, and what is planned among the activities. A task shows among the activities too, and
-- counts once. Of an activity that is done nobody knows when; of a task only one that is done now has a time.
with tasks as (
    {{ current_versions(source('bitrix24', 'tasks')) }}
),

firsts as (
    select
        id,
        min_by(deadline, _extracted_at) as deadline,
        min_by(changed_date, _extracted_at) as changed_date
    from {{ source('bitrix24', 'tasks') }}
    where _extracted_at <= (select as_of from {{ ref('stg_as_of') }})
    group by id
),

bindings as (
    select
        id,
        {{ json_each('uf_crm_task', '$') }} as binding
    from tasks
),

deals as (
    select
        id,
        min(substring({{ json_text('binding', '$') }}, 3)) as deal_id
    from bindings
    where {{ json_text('binding', '$') }} like 'D~_%' escape '~'
    group by id
),

planned as (
    select * from {{ ref('base_bitrix24__activities') }}
    where
        is_task
        and not (activity_type = 'task' and coalesce(associated_entity_id in (select id from tasks), false))
)

select
    -- ids
    'bitrix24:task:' || tasks.id as task_id,
    'bitrix24:' || deals.deal_id as deal_id,
    'bitrix24:' || nullif(tasks.responsible_id, '0') as owner_id,

    -- attributes
    'bitrix24' as crm,
    'task' as task_type,

    -- booleans
    coalesce(tasks.status = '5', false) as is_completed,

    -- timestamps, UTC
    tasks.created_date as created_at,
    tasks.deadline as due_at,
    case
        when firsts.changed_date <= {{ dbt.dateadd('minute', 1, 'tasks.created_date') }} then firsts.deadline
    end as original_due_at,
    case when tasks.status = '5' then tasks.closed_date end as completed_at
from tasks
inner join deals on tasks.id = deals.id
inner join firsts on tasks.id = firsts.id
union all
select
    -- ids
    'bitrix24:' || activity_id as task_id,
    'bitrix24:' || deal_id as deal_id,
    'bitrix24:' || responsible_id as owner_id,

    -- attributes
    'bitrix24' as crm,
    activity_type as task_type,

    -- booleans
    is_completed,

    -- timestamps, UTC
    created_at,
    due_at,
    original_due_at,
    cast(null as {{ dbt.type_timestamp() }}) as completed_at
from planned
