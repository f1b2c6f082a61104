-- Moves to an earlier stage, so far.
select
    deal_id,
    known_at as changed_at,
    cast(row_number() over (partition by deal_id, _load_id order by visit_number) as double) as value,
    _load_id
from {{ ref('int_indicator_stages_known') }}
where is_move_back and {{ is_newly_built() }}
