-- Every version of a person's part in a deal. The role is the person's buying role; without one it is unknown whether
-- the person decides.
with parts as (
    select
        deal_id,
        contact_id,
        _extracted_at,
        _superseded_at
    from {{ source('hubspot', 'deal_contact') }}
    union all
    select
        id as deal_id,
        other_id as contact_id,
        _extracted_at,
        _superseded_at
    from ({{ hubspot_associations(source('hubspot', 'deal'), 'deal_id', 'contacts') }}) as nested
),

people as (
    select
        contact_id,
        {{ hubspot_property('hs_buying_role') }} as buying_role
    from ({{ current_versions(source('hubspot', 'contact')) }}) as contacts
)

select
    'hubspot:' || parts.deal_id as deal_id,
    'hubspot:' || parts.contact_id as contact_id,
    people.buying_role as role,
    upper(people.buying_role) like '%DECISION_MAKER%' as is_decision_maker,
    parts._extracted_at,
    parts._superseded_at
from parts
left join people on parts.contact_id = people.contact_id
where parts._extracted_at <= (select as_of from {{ ref('stg_as_of') }})
