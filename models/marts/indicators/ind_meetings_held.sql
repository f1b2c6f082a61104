-- Meetings that took place, so far.
with meetings as (
    select
        deal_id,
        known_at as changed_at,
        count(*) as meetings
    from {{ ref('int_indicator_contacts') }}
    where is_meeting_held and {{ is_newly_built() }}
    group by deal_id, known_at
)

select
    deal_id,
    changed_at,
    cast(sum(meetings) over (partition by deal_id order by changed_at) as double) as value,
    (select newest_load_id from {{ ref('stg_as_of') }}) as _load_id
from meetings
