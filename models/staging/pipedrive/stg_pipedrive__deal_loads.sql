-- Which load bears on which deal: stg_generic__deal_loads has the reasons.
with changes as (
    select
        coalesce(item_id, {{ json_text('data', '$.item_id') }}) as deal_id,
        coalesce(field_key, {{ json_text('data', '$.field_key') }}) as field_key,
        coalesce(user_id, {{ json_text('data', '$.user_id') }}) as user_id,
        coalesce(log_time, {{ utc_from_text(json_text('data', '$.log_time')) }}) as changed_at,
        _load_id,
        _superseded_load_id
    from {{ source('pipedrive', 'deal_flow') }}
),

deals as (
    select
        id as deal_id,
        {{ pipedrive_id('org_id') }} as org_id,
        {{ pipedrive_id('user_id') }} as user_id
    from {{ source('pipedrive', 'deals') }}
),

loads as (
    {{ loads_of(source('pipedrive', 'deals'), 'id') }}
    union all
    {{ loads_of('changes') }}
    union all
    {{ loads_of(source('pipedrive', 'activities')) }}
    union all
    {{ loads_of(source('pipedrive', 'deal_participants')) }}
    union all
    {{ loads_of_siblings('changes', 'field_key', 'user_id') }}
    union all
    select
        deals.deal_id,
        organizations._load_id as load_id
    from {{ source('pipedrive', 'organizations') }} as organizations
    inner join deals on organizations.id = deals.org_id
    union all
    select
        deals.deal_id,
        dictionaries.load_id
    from (
        {{ loads_that_changed(source('pipedrive', 'stages'), 'id', ['pipeline_id', 'name', 'order_nr', 'deal_probability']) }}
        union
        {{ loads_that_changed(source('pipedrive', 'pipelines'), 'id', ['name']) }}
    ) as dictionaries
    cross join deals
)

select
    'pipedrive:' || deal_id as deal_id,
    load_id
from loads
where deal_id is not null
