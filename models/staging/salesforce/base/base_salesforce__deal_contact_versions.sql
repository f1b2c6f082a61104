-- Every version of a person's part in an opportunity. Decision makers are those whose role says so, under the names
-- that Salesforce gives roles; where no role is given, it is unknown.
select
    -- ids
    'salesforce:' || opportunity_id as deal_id,
    'salesforce:' || contact_id as contact_id,

    -- attributes
    role,

    -- booleans
    lower(role) like '%decision maker%' or lower(role) like '%economic buyer%' as is_decision_maker,

    -- timestamps, UTC
    created_date as added_at,
    _extracted_at,
    _superseded_at
from {{ source('salesforce', 'opportunity_contact_role') }}
where
    not coalesce(is_deleted, false)
    and _extracted_at <= (select as_of from {{ ref('stg_as_of') }})
