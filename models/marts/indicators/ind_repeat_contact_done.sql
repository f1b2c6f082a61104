-- 0 since the proposal is out, 1 since the client was asked what they think of it.
with steps as (
    select * from {{ ref('int_indicator_steps_known') }}
    where step = '{{ var("indicator_steps")["repeat_contact"] }}' and {{ is_newly_built() }}
)

select
    deal_id,
    known_at as changed_at,
    cast(0 as double) as value,
    _load_id
from steps
where done_known_at is null or done_known_at > known_at
union all
select
    deal_id,
    done_known_at as changed_at,
    cast(1 as double) as value,
    _load_id
from steps
where done_known_at is not null
