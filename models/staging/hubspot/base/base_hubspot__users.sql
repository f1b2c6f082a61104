-- Histories name who made a change as a user; deals have owners. Both are one person with two ids.
with owners as (
    {{ current_versions(source('hubspot', 'owner')) }}
)

select
    active_user_id as source_id,
    min(owner_id) as owner_id
from owners
where active_user_id is not null
group by active_user_id
union all
select
    'userId:' || active_user_id as source_id,
    min(owner_id) as owner_id
from owners
where active_user_id is not null
group by active_user_id
union all
select
    email as source_id,
    min(owner_id) as owner_id
from owners
where email is not null
group by email
