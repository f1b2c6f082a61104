{{ config(materialized='incremental', incremental_strategy='by_deal') }}

-- Counted once here, so that no mart has to read the activities, the largest table of all.
select
    deal_id,
    count(*) as activity_count,
    sum(case when direction = 'in' then 1 else 0 end) as inbound_activity_count,
    sum(case when activity_type = 'meeting' then 1 else 0 end) as meeting_count,
    min(occurred_at) as first_activity_at,
    max(occurred_at) as last_activity_at,
    max(case when direction = 'in' or activity_type = 'meeting' then occurred_at end) as last_client_contact_at,
    (select newest_load_id from {{ ref('stg_as_of') }}) as _load_id
from {{ ref('crm_activities') }}
where
    deal_id is not null
    and {{ is_touched('deal_id') }}
group by deal_id
