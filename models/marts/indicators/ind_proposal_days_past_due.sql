-- The deadline is the journey map's and nobody moves it. Below zero there is time left; it stands still when the
-- proposal is out, or when the deal has gone on without it.
with proposals as (
    select
        *,
        least(coalesce(done_known_at, passed_known_at), coalesce(passed_known_at, done_known_at)) as settled_at
    from {{ ref('int_indicator_steps_known') }}
    where step = '{{ var("indicator_steps")["proposal"] }}' and {{ is_newly_built() }}
)

select
    deal_id,
    known_at as changed_at,
    {{ days_between('due_at', 'known_at') }} as value,
    cast(1 as double) as grows_per_day,
    _load_id
from proposals
where settled_at is null or settled_at > known_at
union all
select
    deal_id,
    greatest(settled_at, known_at) as changed_at,
    case
        when settled_at = done_known_at then {{ days_between('due_at', 'done_at') }}
        else {{ days_between('due_at', 'settled_at') }}
    end as value,
    cast(0 as double) as grows_per_day,
    _load_id
from proposals
where settled_at is not null
