-- Runs from the creation and begins anew with each contact in which the client took part. A contact that is logged
-- late shortens the silence from then on.
with contacts as (
    select
        deal_number,
        known_at,
        occurred_at
    from {{ ref('int_indicator_contacts') }}
    where is_two_way and {{ is_newly_built() }}
    union all
    select
        _deal_number as deal_number,
        created_at as known_at,
        created_at as occurred_at
    from {{ ref('dim_deals') }}
    where {{ is_newly_built() }}
),

ordered as (
    select
        deal_number,
        known_at,
        max(occurred_at) as occurred_at,
        max(max(occurred_at)) over (
            partition by deal_number
            order by known_at
            rows between unbounded preceding and 1 preceding
        ) as newest_known
    from contacts
    group by deal_number, known_at
)

select
    numbers.deal_id,
    ordered.known_at as changed_at,
    {{ days_between('ordered.occurred_at', 'ordered.known_at') }} as value,
    cast(1 as double) as grows_per_day,
    (select newest_load_id from {{ ref('stg_as_of') }}) as _load_id
from ordered
inner join {{ ref('int_deals_numbered') }} as numbers on ordered.deal_number = numbers.deal_number
where ordered.newest_known is null or ordered.occurred_at > ordered.newest_known
