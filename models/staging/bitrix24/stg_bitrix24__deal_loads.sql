-- Which load bears on which deal: stg_generic__deal_loads has the reasons. A user's row changes with every log-in, which
-- bears on nothing: what a user is to a deal, the departments aside, is a name that no mart of deals shows.
with deals as (
    select
        id as deal_id,
        company_id,
        assigned_by_id
    from {{ source('bitrix24', 'deals') }}
),

activities as (
    select * from {{ source('bitrix24', 'activities') }}
    where owner_type_id = '2'
),

-- all that a task is bound to; what is no deal's number touches nothing
task_bindings as (
    select
        {{ json_each('uf_crm_task', '$') }} as binding,
        _load_id,
        _superseded_load_id
    from {{ source('bitrix24', 'tasks') }}
),

loads as (
    {{ loads_of(source('bitrix24', 'deals'), 'id') }}
    union all
    {{ loads_of(source('bitrix24', 'stage_history'), 'owner_id') }}
    union all
    {{ loads_of('activities', 'owner_id') }}
    union all
    {{ loads_of('task_bindings', 'substring(' ~ json_text('binding', '$') ~ ', 3)') }}
    union all
    select
        deals.deal_id,
        companies._load_id as load_id
    from {{ source('bitrix24', 'companies') }} as companies
    inner join deals on companies.id = deals.company_id
    union all
    select
        deals.deal_id,
        users._load_id as load_id
    from (
        select
            id,
            _load_id,
            uf_department,
            lag(uf_department) over (partition by id order by _extracted_at, _load_id) as previous_department
        from {{ source('bitrix24', 'users') }}
    ) as users
    inner join deals on users.id = deals.assigned_by_id
    where users.uf_department is distinct from users.previous_department
    union all
    select
        deals.deal_id,
        dictionaries.load_id
    from (
        {{ loads_that_changed(source('bitrix24', 'statuses'), 'entity_id, status_id', ['name', 'sort', 'semantics']) }}
        union
        {{ loads_that_changed(source('bitrix24', 'category_stages'), 'status_id', ['name', 'sort']) }}
        union
        {{ loads_that_changed(source('bitrix24', 'categories'), 'id', ['name']) }}
        union
        {{ loads_that_changed(source('bitrix24', 'departments'), 'id', ['name']) }}
    ) as dictionaries
    cross join deals
)

select
    'bitrix24:' || deal_id as deal_id,
    load_id
from loads
where deal_id is not null
