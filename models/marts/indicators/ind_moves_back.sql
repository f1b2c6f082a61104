-- Moves to an earlier stage, so far.
with moves as (
    select
        deal_id,
        known_at,
        _load_id,
        count(*) as moves
    from {{ ref('int_indicator_stages_known') }}
    where is_move_back and {{ is_newly_built() }}
    group by deal_id, known_at, _load_id
)

select
    deal_id,
    known_at as changed_at,
    cast(sum(moves) over (partition by deal_id, _load_id order by known_at) as double) as value,
    _load_id
from moves
