-- Which load bears on which deal: stg_generic__deal_loads has the reasons.
with deals as (
    select
        id as deal_id,
        account_id,
        owner_id
    from {{ source('salesforce', 'opportunity') }}
),

changes as (
    select
        opportunity_id as deal_id,
        'amount or close date' as field,
        created_by_id,
        created_date as changed_at,
        _load_id
    from {{ source('salesforce', 'opportunity_history') }}
    union all
    select
        opportunity_id as deal_id,
        lower(replace(field, '_', '')) as field,
        created_by_id,
        created_date as changed_at,
        _load_id
    from {{ source('salesforce', 'opportunity_field_history') }}
),

users as (
    select
        id,
        user_role_id,
        lag(user_role_id) over (partition by id order by _extracted_at, _load_id) as previous_user_role_id,
        _load_id
    from {{ source('salesforce', 'user') }}
),

meetings as (
    select
        what_id as deal_id,
        coalesce(start_date_time, activity_date) as began_at,
        _extracted_at
    from {{ source('salesforce', 'event') }}
),

loads as (
    {{ loads_of(source('salesforce', 'opportunity'), 'id') }}
    {% for entity in ['opportunity_history', 'opportunity_field_history', 'opportunity_contact_role'] %}
        union all
        {{ loads_of(source('salesforce', entity), 'opportunity_id') }}
    {% endfor %}
    {% for entity in ['task', 'event'] %}
        union all
        {{ loads_of(source('salesforce', entity), 'what_id') }}
    {% endfor %}
    union all
    {{ loads_by_when('meetings', 'began_at') }}
    union all
    {{ loads_of_siblings('changes', 'field', 'created_by_id') }}
    union all
    select
        deals.deal_id,
        accounts._load_id as load_id
    from {{ source('salesforce', 'account') }} as accounts
    inner join deals on accounts.id = deals.account_id
    union all
    select
        deals.deal_id,
        users._load_id as load_id
    from users
    inner join deals on users.id = deals.owner_id
    -- a user's row changes with every login
    where users.user_role_id is distinct from users.previous_user_role_id
    union all
    select
        deals.deal_id,
        dictionaries.load_id
    from (
        {{ loads_that_changed(
            source('salesforce', 'opportunity_stage'), 'master_label',
            ['sort_order', 'default_probability', 'is_closed', 'is_won']
        ) }}
        union
        {{ loads_that_changed(source('salesforce', 'record_type'), 'id', ['name']) }}
        union
        {{ loads_that_changed(source('salesforce', 'user_role'), 'id', ['name']) }}
        union
        select load_id
        from {{ ref('base_salesforce__stages') }}
        where load_id is not null
    ) as dictionaries
    cross join deals
)

select
    'salesforce:' || deal_id as deal_id,
    load_id
from loads
where deal_id is not null
