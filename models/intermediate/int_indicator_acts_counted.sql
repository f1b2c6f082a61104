{{ config(materialized='table') }}
{%- do indicator_refs() %}
{%- set contacts, deals = ref('int_indicator_contacts'), ref('dim_deals') %}

-- What an owner did and what came back, by two weeks counted backwards from as_of: 0 is the newest. For each indicator
-- that counts acts. Deal days are the days on which open deals could have been worked on.
{% set block = "cast(floor(" ~ days_between('{at}', 'as_of.as_of') ~ " / 14) as integer)" %}
with as_of as (
    select * from {{ ref('stg_as_of') }}
),

owners as (
    select
        user_id as owner_id,
        team
    from {{ ref('dim_users') }}
),

acts as (
    {% for node in indicators() if node.config.meta.get('act') %}
        select
            '{{ indicator_name(node) }}' as indicator,
            coalesce(contacts.owner_id, deals.owner_id) as owner_id,
            {{ block.replace('{at}', 'contacts.occurred_at') }} as block,
            sum(case when contacts.{{ node.config.meta['act'] }} then 1 else 0 end) as acts,
            sum(case when contacts.{{ node.config.meta['answer'] }} then 1 else 0 end) as answers
        from {{ contacts }} as contacts
        inner join {{ deals }} as deals on contacts.deal_number = deals._deal_number
        cross join as_of
        where
            contacts.occurred_at > {{ dbt.dateadd('day', -14 * 40, 'as_of.as_of') }}
            and contacts.occurred_at <= as_of.as_of
        group by coalesce(contacts.owner_id, deals.owner_id), {{ block.replace('{at}', 'contacts.occurred_at') }}
        {{ 'union all' if not loop.last }}
    {% else %}
        select
            cast(null as {{ dbt.type_string() }}) as indicator,
            cast(null as {{ dbt.type_string() }}) as owner_id,
            0 as block,
            0 as acts,
            0 as answers
        from as_of where false
    {% endfor %}
),

advances as (
    select
        deals.owner_id,
        {{ block.replace('{at}', 'known.known_at') }} as block,
        count(*) as advances
    from {{ ref('int_indicator_stages_known') }} as known
    inner join {{ ref('int_stages_completed') }} as stages on known.stage_id = stages.stage_id
    inner join {{ ref('dim_deals') }} as deals on known.deal_number = deals._deal_number
    cross join as_of
    where
        known.previous_stage_id is not null
        and not known.is_move_back
        and not stages.is_lost
        and known.known_at > {{ dbt.dateadd('day', -14 * 40, 'as_of.as_of') }}
        and known.known_at <= as_of.as_of
    group by deals.owner_id, {{ block.replace('{at}', 'known.known_at') }}
),

loads as (
    select
        loads.owner_id,
        {{ block.replace('{at}', 'loads.date_day') }} as block,
        sum(loads.open_deals) as deal_days
    from {{ ref('int_indicator_owner_loads') }} as loads
    cross join as_of
    where loads.date_day > {{ dbt.dateadd('day', -14 * 40, 'as_of.as_of') }}
    group by loads.owner_id, {{ block.replace('{at}', 'loads.date_day') }}
),

by_owner as (
    select
        acts.indicator,
        acts.owner_id,
        coalesce(owners.team, 'unknown') as team,
        acts.block,
        acts.acts,
        acts.answers,
        coalesce(advances.advances, 0) as advances,
        loads.deal_days
    from acts
    inner join loads on acts.owner_id = loads.owner_id and acts.block = loads.block
    left join advances on acts.owner_id = advances.owner_id and acts.block = advances.block
    left join owners on acts.owner_id = owners.owner_id
    where loads.deal_days > 0
),

scopes as (
    select 'owner' as scope
    union all
    select 'team' as scope
    union all
    select 'all' as scope
),

scoped as (
    select
        by_owner.indicator,
        scopes.scope,
        case when scopes.scope = 'all' then '(all)' else by_owner.team end as team,
        case when scopes.scope = 'owner' then by_owner.owner_id else '(all)' end as owner_id,
        by_owner.block,
        by_owner.acts,
        by_owner.answers,
        by_owner.advances,
        by_owner.deal_days
    from by_owner
    cross join scopes
)

select
    indicator,
    scope,
    team,
    owner_id,
    block,
    cast(sum(acts) as double) as acts,
    cast(sum(answers) as double) as answers,
    cast(sum(advances) as double) as advances,
    cast(sum(deal_days) as double) as deal_days
from scoped
group by indicator, scope, team, owner_id, block
