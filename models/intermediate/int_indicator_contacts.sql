{{ config(materialized='incremental', incremental_strategy='by_deal', by='deal_number') }}

-- Contacts with the client, each with what it is to the indicators and the moment since when the CRM knows it: a call
-- that is logged on Friday tells nobody anything on Wednesday. Notes are no contacts. A table, because activities are
-- the largest of all and many ask for them; by the deal's number, because all of them sort by it.
select
    numbers.deal_number,
    activities.deal_id,
    activities.owner_id,
    activities.activity_id,
    activities.direction,
    activities.occurred_at,
    greatest(activities.occurred_at, activities.logged_at) as known_at,
    coalesce(activities.direction, '') = 'out' or activities.activity_type = 'meeting' as is_touch,
    coalesce(activities.direction, '') = 'in' or coalesce(activities.outcome, '') = 'replied' as is_reply,
    activities.activity_type = 'meeting' and coalesce(activities.outcome, 'held') <> 'no show' as is_meeting_held,
    coalesce(activities.direction, '') = 'in'
    or coalesce(activities.outcome, '') in ('replied', 'connected')
    or (activities.activity_type = 'meeting' and coalesce(activities.outcome, 'held') <> 'no show') as is_two_way,
    (select newest_load_id from {{ ref('stg_as_of') }}) as _load_id
from {{ ref('crm_activities') }} as activities
inner join {{ ref('int_deals_numbered') }} as numbers on activities.deal_id = numbers.deal_id
where activities.activity_type <> 'note' and {{ is_touched('activities.deal_id') }}
