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
