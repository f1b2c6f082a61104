{{ config(materialized='table') }}

-- How many open deals an owner had when a day began. Built anew each night, whole: a deal's owner is kept busy by
-- other deals.
{% set far = "cast('9999-12-31' as " ~ dbt.type_timestamp() ~ ')' %}
with stays as (
    select
        known.deal_number,
        case when known.visit_number = 1 then least(deals.created_at, known.known_at) else known.known_at end as from_at,
        coalesce(known.until_at, {{ far }}) as until_at,
        deals.owner_id
    from {{ ref('int_indicator_stages_known') }} as known
    inner join {{ ref('dim_deals') }} as deals on known.deal_number = deals._deal_number
    where known.is_open_stage
),

-- only deals that changed hands have versions
owned as (
    select
        coalesce(owners.owner_id, case when owners.deal_number is null then stays.owner_id end) as owner_id,
        greatest(stays.from_at, coalesce(owners.valid_from, stays.from_at)) as from_at,
        least(stays.until_at, coalesce(owners.valid_to, stays.until_at)) as until_at
    from stays
    left join {{ ref('int_deal_owners_versioned') }} as owners
        on
            stays.deal_number = owners.deal_number
            and stays.from_at < owners.valid_to
            and stays.until_at > owners.valid_from
),

changes as (
    select
        owner_id,
        cast(from_at as date) as date_day,
        1 as change
    from owned
    where owner_id is not null
    union all
    select
        owner_id,
        cast(until_at as date) as date_day,
        -1 as change
    from owned
    where owner_id is not null and until_at < {{ far }}
),

summed as (
    select
        owner_id,
        date_day,
        sum(change) as change
    from changes
    group by owner_id, date_day
),

owners as (
    select
        owner_id,
        min(date_day) as first_date
    from summed
    group by owner_id
),

days as (
    select
        owners.owner_id,
        days.date_day,
        coalesce(summed.change, 0) as change
    from owners
    inner join {{ ref('int_days_spanned') }} as days
        on
            owners.first_date <= days.date_day
            and days.date_day <= (select cast(as_of as date) from {{ ref('stg_as_of') }})
    left join summed on owners.owner_id = summed.owner_id and days.date_day = summed.date_day
)

select
    owner_id,
    date_day,
    cast(
        sum(change) over (partition by owner_id order by date_day) - change as integer
    ) as open_deals
from days
