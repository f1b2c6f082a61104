select
    -- ids
    'salesforce:' || opportunity_id as deal_id,
    'salesforce:' || created_by_id as changed_by_id,

    -- attributes
    'salesforce' as crm,
    previous_stage_name as from_stage,
    stage_name as to_stage,

    -- timestamps, UTC
    changed_at,
    changed_at as recorded_at
from {{ ref('base_salesforce__states') }}
where stage_name is distinct from previous_stage_name
union all
select
    'salesforce:' || opportunity_id as deal_id,
    'salesforce:' || created_by_id as changed_by_id,
    'salesforce' as crm,
    old_value as from_stage,
    new_value as to_stage,
    changed_at,
    changed_at as recorded_at
from {{ ref('base_salesforce__field_history') }}
where field = 'stagename' and new_value is not null
