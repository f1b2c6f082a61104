-- Open deals that the owner had on the day on which the deal entered its stage or came to them. It stays until the next
-- such day: how busy the owner is on all others is no news of this deal.
with stays as (
    select
        known.deal_id,
        known.deal_number,
        deals.owner_id,
        known.known_at,
        coalesce(known.until_at, cast('9999-12-31' as {{ dbt.type_timestamp() }})) as until_at,
        known._load_id
    from {{ ref('int_indicator_stages_known') }} as known
    inner join {{ ref('dim_deals') }} as deals on known.deal_number = deals._deal_number
    where
        known.is_open_stage
        -- a stage that was clicked through within the second is no stay
        and (known.until_at is null or known.until_at > known.known_at)
        and {{ is_newly_built('known._load_id') }}
),

owned as (
    select
        stays.deal_id,
        stays._load_id,
        case when owners.deal_number is null then stays.owner_id else owners.owner_id end as owner_id,
        greatest(stays.known_at, coalesce(owners.valid_from, stays.known_at)) as changed_at
    from stays
    left join {{ ref('int_deal_owners_versioned') }} as owners
        on
            stays.deal_number = owners.deal_number
            and stays.known_at < owners.valid_to
            and stays.until_at > owners.valid_from
)

select
    owned.deal_id,
    owned.changed_at,
    cast(max(loads.open_deals) as double) as value,
    owned._load_id
from owned
left join {{ ref('int_indicator_owner_loads') }} as loads
    on owned.owner_id = loads.owner_id and cast(owned.changed_at as date) = loads.date_day
group by owned.deal_id, owned.changed_at, owned._load_id
