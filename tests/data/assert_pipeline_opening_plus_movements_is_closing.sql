{{ config(meta={'dagster': {'ref': {'name': 'fct_pipeline_movements'}}}) }}

-- The closing of a day is what the deals themselves add up to at its end, counted from their values and not from
-- the movements: on the last two days, and on the days around the last turn of a quarter.
with days as (
    select
        dates.date_day,
        -- the last day is not over yet
        least(
            cast({{ dbt.dateadd('day', 1, 'dates.date_day') }} as {{ dbt.type_timestamp() }}),
            {{ dbt.dateadd('second', 1, 'clock.as_of') }}
        ) as ends_at
    from {{ ref('dim_dates') }} as dates
    cross join {{ ref('stg_as_of') }} as clock
    where
        dates.date_day <= cast(clock.as_of as date)
        and dates.date_day >= {{ dbt.dateadd('day', -100, 'cast(clock.as_of as date)') }}
        and (
            dates.is_quarter_end
            or dates.date_day = dates.quarter_start_date
            or dates.date_day >= {{ dbt.dateadd('day', -1, 'cast(clock.as_of as date)') }}
        )
),

counted as (
    select
        days.date_day,
        versions.pipeline,
        case
            when versions.expected_close_date is null then 'no_date'
            when versions.expected_close_date < dates.quarter_start_date then 'earlier_quarter'
            when versions.expected_close_date < {{ dbt.dateadd('month', 3, 'dates.quarter_start_date') }} then 'this_quarter'
            else 'later'
        end as close_horizon,
        deals.segment,
        coalesce(owners.team, 'unknown') as team,
        coalesce(deals.currency, 'unknown') as currency,
        count(*) as deals,
        coalesce(sum(versions.amount), 0) as amount,
        count(*) - count(versions.amount) as deals_without_amount
    from days
    inner join {{ ref('dim_dates') }} as dates on days.date_day = dates.date_day
    inner join {{ ref('int_deal_values_versioned') }} as versions
        on
            days.ends_at > versions.valid_from
            and days.ends_at <= coalesce(versions.valid_to, days.ends_at)
    inner join {{ ref('int_deals_numbered') }} as numbers on versions.deal_number = numbers.deal_number
    inner join {{ ref('dim_deals') }} as deals on numbers.deal_id = deals.deal_id
    left join {{ ref('dim_users') }} as owners on versions.owner_id = owners.user_id
    where versions.status = 'open'
    group by 1, 2, 3, 4, 5, 6
),

told as (
    select
        *,
        opening_amount + created_amount + reopened_amount + pulled_in_amount + rolled_in_amount + transferred_in_amount
        + increased_amount - won_amount - lost_amount - pushed_out_amount - rolled_out_amount - transferred_out_amount
        - decreased_amount as amount,
        opening_deals + created_deals + reopened_deals + pulled_in_deals + rolled_in_deals + transferred_in_deals
        - won_deals - lost_deals - pushed_out_deals - rolled_out_deals - transferred_out_deals as deals
    from {{ ref('fct_pipeline_movements') }}
    where date_day in (select days.date_day from days)
)

select
    coalesce(told.date_day, counted.date_day) as date_day,
    told.pipeline_day_id,
    told.deals as deals_told,
    counted.deals as deals_counted,
    told.amount as amount_told,
    counted.amount as amount_counted
from told
full outer join counted
    on
        told.date_day = counted.date_day
        and told.pipeline = counted.pipeline
        and told.close_horizon = counted.close_horizon
        and told.segment = counted.segment
        and told.team = counted.team
        and told.currency = counted.currency
where
    coalesce(told.deals, 0) <> coalesce(counted.deals, 0)
    or coalesce(told.amount, 0) <> coalesce(counted.amount, 0)
    or coalesce(told.closing_deals, 0) <> coalesce(counted.deals, 0)
    or coalesce(told.closing_amount, 0) <> coalesce(counted.amount, 0)
    or coalesce(told.deals_without_amount, 0) <> coalesce(counted.deals_without_amount, 0)
