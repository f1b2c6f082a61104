select
    -- ids
    'pipedrive:' || deal_id as deal_id,

    -- attributes
    'pipedrive' as crm,

    -- booleans
    cast(null as boolean) as is_decision_maker,

    -- timestamps, UTC
    _extracted_at
from {{ source('pipedrive', 'deal_participants') }}
where
    _extracted_at <= (select as_of from {{ ref('stg_as_of') }})
    and (_superseded_at is null or _superseded_at > _extracted_at)
union all
select
    deal_id,
    'pipedrive' as crm,
    cast(null as boolean) as is_decision_maker,
    _extracted_at
from {{ ref('base_pipedrive__deals') }}
where
    contact_id is not null
    and (_superseded_at is null or _superseded_at > _extracted_at)
