-- Runs from the creation until our first touch is known, and stands still from then on.
with first_touches as (
    select
        deal_number,
        min(known_at) as known_at,
        min_by(occurred_at, known_at) as occurred_at
    from {{ ref('int_indicator_contacts') }}
    where (is_touch or is_two_way) and {{ is_newly_built() }}
    group by deal_number
),

deals as (
    select
        deals.deal_id,
        deals.created_at,
        case when first_touches.known_at < deals.created_at then deals.created_at else first_touches.known_at end as known_at,
        case when first_touches.occurred_at < deals.created_at then deals.created_at else first_touches.occurred_at end as occurred_at
    from {{ ref('dim_deals') }} as deals
    left join first_touches on deals._deal_number = first_touches.deal_number
    where {{ is_newly_built('deals._load_id') }}
)

select
    deal_id,
    created_at as changed_at,
    cast(0 as double) as value,
    cast(1 as double) as grows_per_day,
    (select newest_load_id from {{ ref('stg_as_of') }}) as _load_id
from deals
where known_at is null or known_at > created_at
union all
select
    deal_id,
    known_at as changed_at,
    {{ days_between('created_at', 'occurred_at') }} as value,
    cast(0 as double) as grows_per_day,
    (select newest_load_id from {{ ref('stg_as_of') }}) as _load_id
from deals
where known_at is not null
