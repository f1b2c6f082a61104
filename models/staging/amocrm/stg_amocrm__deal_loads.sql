-- Which load bears on which deal: stg_generic__deal_loads has the reasons.
with leads as (
    select
        id as deal_id,
        responsible_user_id,
        {{ json_text('embedded', '$.companies[0].id') }} as company_id
    from {{ source('amocrm', 'leads') }}
),

events as (
    select
        events.*,
        case events.entity_type
            when 'lead' then events.entity_id
            when 'task' then tasks.entity_id
        end as deal_id
    from {{ source('amocrm', 'events') }} as events
    left join {{ source('amocrm', 'tasks') }} as tasks
        on events.entity_type = 'task' and events.entity_id = tasks.id and tasks.entity_type = 'leads'
),

tasks as (
    select * from {{ source('amocrm', 'tasks') }}
    where entity_type = 'leads'
),

edits as (
    select * from events
    where
        entity_type = 'lead'
        and (type in ('sale_field_changed', 'entity_responsible_changed') or type like 'custom_field_%')
),

loads as (
    {{ loads_of(source('amocrm', 'leads'), 'id') }}
    union all
    {{ loads_of(source('amocrm', 'leads_deleted'), 'id') }}
    union all
    {{ loads_of('events') }}
    union all
    {{ loads_of('tasks', 'entity_id') }}
    union all
    {{ loads_of_siblings('edits', 'type', 'created_by', 'created_at') }}
    union all
    select
        leads.deal_id,
        companies._load_id as load_id
    from {{ source('amocrm', 'companies') }} as companies
    inner join leads on companies.id = leads.company_id
    union all
    select
        leads.deal_id,
        users._load_id as load_id
    from {{ source('amocrm', 'users') }} as users
    inner join leads on users.id = leads.responsible_user_id
    union all
    select
        leads.deal_id,
        dictionaries.load_id
    from (
        {{ loads_that_changed(source('amocrm', 'pipelines'), 'id', ['name', 'embedded']) }}
        union
        {{ loads_that_changed(source('amocrm', 'loss_reasons'), 'id', ['name']) }}
        union
        {{ loads_that_changed(source('amocrm', 'task_types'), 'id', ['name']) }}
    ) as dictionaries
    cross join leads
)

select
    'amocrm:' || deal_id as deal_id,
    load_id
from loads
where deal_id is not null
