-- Runs while the documents are with legal, and stands still once they are back or the deal has gone on without them.
with reviews as (
    select
        *,
        least(coalesce(done_known_at, passed_known_at), coalesce(passed_known_at, done_known_at)) as settled_at
    from {{ ref('int_indicator_steps_known') }}
    where step = '{{ var("indicator_steps")["legal"] }}' and {{ is_newly_built() }}
)

select
    deal_id,
    known_at as changed_at,
    {{ days_between('triggered_at', 'known_at') }} as value,
    cast(1 as double) as grows_per_day,
    _load_id
from reviews
where settled_at is null or settled_at > known_at
union all
select
    deal_id,
    greatest(settled_at, known_at) as changed_at,
    greatest(
        0,
        case
            when settled_at = done_known_at then {{ days_between('triggered_at', 'done_at') }}
            else {{ days_between('triggered_at', 'settled_at') }}
        end
    ) as value,
    cast(0 as double) as grows_per_day,
    _load_id
from reviews
where settled_at is not null
