-- Contacts with the client, each with what it is to the indicators and the moment since when the CRM knows it: a call
-- that is logged on Friday tells nobody anything on Wednesday. Notes are no contacts.
select
    deal_id,
    owner_id,
    activity_id,
    occurred_at,
    greatest(occurred_at, logged_at) as known_at,
    coalesce(direction, '') = 'out' or activity_type = 'meeting' as is_touch,
    coalesce(direction, '') = 'in' or coalesce(outcome, '') = 'replied' as is_reply,
    activity_type = 'meeting' and coalesce(outcome, 'held') <> 'no show' as is_meeting_held,
    coalesce(direction, '') = 'in'
    or coalesce(outcome, '') in ('replied', 'connected')
    or (activity_type = 'meeting' and coalesce(outcome, 'held') <> 'no show') as is_two_way
from {{ ref('crm_activities') }}
where activity_type <> 'note' and deal_id is not null
