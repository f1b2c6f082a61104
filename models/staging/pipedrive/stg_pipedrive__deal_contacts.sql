-- Participants, and the person a deal names first. Pipedrive knows no roles: who decides is unknown.
with participants as (
    {{ current_versions(source('pipedrive', 'deal_participants')) }}
),

people as (
    select
        'pipedrive:' || deal_id as deal_id,
        'pipedrive:' || {{ pipedrive_id('person_id') }} as contact_id,
        add_time as added_at
    from participants
    union all
    select
        deal_id,
        contact_id,
        cast(null as {{ dbt.type_timestamp() }}) as added_at
    from (
        {{ current_versions(ref('base_pipedrive__deals')) }}
    ) as deals
    where contact_id is not null
)

select
    -- ids
    deal_id,
    contact_id,

    -- attributes
    'pipedrive' as crm,
    cast(null as {{ dbt.type_string() }}) as role,

    -- booleans
    cast(null as boolean) as is_decision_maker,

    -- timestamps, UTC
    min(added_at) as added_at
from people
group by deal_id, contact_id
