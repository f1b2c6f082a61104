-- Which load bears on which deal: by a row of the deal's own, by one that ceased to be in force, by its
-- account or its owner, or by the stages of any pipeline, since a deal may
-- have been in several. Incremental models rebuild the deals of the loads they have not seen.
{% set own_entities = ['deals', 'stage_changes', 'field_changes', 'activities', 'tasks', 'deal_contacts', 'revenue_events'] %}

with versions as (
    {% for entity in own_entities %}
        select
            deal_id,
            _load_id as load_id
        from {{ source('generic', entity) }}
        union all
        select
            deal_id,
            _superseded_load_id
        from {{ source('generic', entity) }}
        where _superseded_load_id is not null
        union all
    {% endfor %}
    select
        siblings.deal_id,
        edits._load_id
    from (
        select distinct
            changed_by,
            field,
            {{ dbt.date_trunc('minute', 'changed_at') }} as changed_in_minute,
            _load_id
        from {{ source('generic', 'field_changes') }}
    ) as edits
    inner join {{ source('generic', 'field_changes') }} as siblings
        on
            edits.changed_by = siblings.changed_by
            and edits.field = siblings.field
            and edits.changed_in_minute = {{ dbt.date_trunc('minute', 'siblings.changed_at') }}
            and edits._load_id > siblings._load_id
    union all
    select
        deals.deal_id,
        accounts._load_id
    from {{ source('generic', 'accounts') }} as accounts
    inner join {{ source('generic', 'deals') }} as deals on accounts.account_id = deals.account_id
    union all
    select
        deals.deal_id,
        users._load_id
    from {{ source('generic', 'users') }} as users
    inner join {{ source('generic', 'deals') }} as deals on users.user_id = deals.owner_id
    union all
    select
        deals.deal_id,
        stages._load_id
    from (select distinct _load_id from {{ source('generic', 'stages') }}) as stages
    cross join {{ source('generic', 'deals') }} as deals
)

select
    'generic:' || deal_id as deal_id,
    load_id
from versions
where deal_id is not null
