-- A person may have several roles in one opportunity: they are one part, and decide if any of the roles does.
with source as (
    {{ current_versions(ref('base_salesforce__deal_contact_versions')) }}
)

select
    -- ids
    deal_id,
    contact_id,

    -- attributes
    'salesforce' as crm,
    coalesce(max(case when is_decision_maker then role end), min(role)) as role,

    -- booleans
    max(case when is_decision_maker then 1 when not is_decision_maker then 0 end) = 1 as is_decision_maker,

    -- timestamps, UTC
    min(added_at) as added_at
from source
group by deal_id, contact_id
