-- What will be booked within 30, 60 and 90 days and by the end of the quarter, from open deals and from deals that do not
-- exist yet. The interval holds chance, deal by deal, and what past nowcasts were off by beyond it. Expected amounts add
-- up over segments and teams; medians and bounds do not. Amounts of different currencies are never added.
{% set parts = ['open_amount', 'expected_open', 'expected_new', 'variance', 'open_deals_without_amount', 'booked_so_far'] %}
{% set is_whole = "horizon = 'quarter_end'" %}
with horizons as (
    select * from {{ ref('int_bookings_horizons') }}
),

booked as (
    select
        horizons.horizon,
        booked.segment,
        booked.team,
        booked.currency,
        sum(booked.amount) as booked_so_far
    from {{ ref('int_bookings_booked') }} as booked
    inner join horizons on booked.won_on >= horizons.counted_from and booked.won_on < horizons.made_on
    where booked.segment <> 'all' and booked.team <> 'all'
    group by horizons.horizon, booked.segment, booked.team, booked.currency
),

parts as (
    select
        horizon,
        segment,
        team,
        currency,
        open_amount,
        expected_open,
        expected_new,
        variance,
        open_deals_without_amount,
        spread,
        cast(0 as double) as booked_so_far
    from {{ ref('int_bookings_expected') }}
    union all
    select
        horizon,
        segment,
        team,
        currency,
        0 as open_amount,
        0 as expected_open,
        0 as expected_new,
        0 as variance,
        0 as open_deals_without_amount,
        null as spread,
        booked_so_far
    from booked
),

rolled_up as (
    select
        horizon,
        currency,
        case when grouping(segment) = 0 then segment else 'all' end as segment,
        case when grouping(team) = 0 then team else 'all' end as team,
        {% for part in parts %} {{ sum_if_known(part) }} as {{ part }}, {% endfor %}
        max(spread) as spread
    from parts
    group by grouping sets (
        (horizon, currency, segment, team), (horizon, currency, segment), (horizon, currency, team), (horizon, currency)
    )
),

-- a target that was set for each team is one of all of them, and so of segments; what was set for all goes before a sum
declared as (
    select
        quarter_start_date,
        segment,
        team,
        currency,
        amount,
        true as is_declared
    from {{ ref('targets') }}
),

by_segment as (
    select * from declared
    union all
    select
        quarter_start_date,
        segment,
        'all' as team,
        currency,
        sum(amount) as amount,
        false as is_declared
    from declared
    where team <> 'all'
    group by quarter_start_date, segment, currency
),

-- where sums over teams and over segments differ, one of them leaves some out
targets as (
    select * from (
        select * from by_segment
        union all
        select
            quarter_start_date,
            'all' as segment,
            team,
            currency,
            sum(amount) as amount,
            false as is_declared
        from (
            select * from by_segment
            qualify
                row_number() over (partition by quarter_start_date, segment, team, currency order by is_declared desc) = 1
        ) as each_segment
        where segment <> 'all'
        group by quarter_start_date, team, currency
    ) as summed
    qualify
        row_number()
            over (partition by quarter_start_date, segment, team, currency order by is_declared desc, amount desc)
        = 1
),

expected as (
    select
        rolled_up.*,
        horizons.made_on,
        horizons.counted_from,
        horizons.counted_until,
        rolled_up.expected_open + rolled_up.expected_new as expected,
        rolled_up.variance + power(rolled_up.spread * (rolled_up.expected_open + rolled_up.expected_new), 2) as variance_of_all,
        targets.amount as target
    from rolled_up
    inner join horizons on rolled_up.horizon = horizons.horizon
    left join targets
        on
            rolled_up.horizon = 'quarter_end'
            and horizons.counted_from = targets.quarter_start_date
            and rolled_up.segment = targets.segment
            and rolled_up.team = targets.team
            and rolled_up.currency = targets.currency
),

told as (
    select
        *,
        booked_so_far + {{ quantile_of_sum('expected', 'variance_of_all', 0) }} as median,
        booked_so_far + {{ quantile_of_sum('expected', 'variance_of_all', -1.2816) }} as low_80,
        booked_so_far + {{ quantile_of_sum('expected', 'variance_of_all', 1.2816) }} as high_80
    from expected
)

select
    cast(as_of.as_of as date) as as_of,
    told.horizon,
    told.made_on,
    told.counted_until as horizon_ends_on,
    told.segment,
    told.team,
    told.currency,
    {% for amount in ['booked_so_far', 'open_amount', 'expected_open', 'expected_new', 'median', 'low_80', 'high_80', 'target'] %}
        cast(told.{{ amount }} as decimal(18, 2)) as {{ amount }},
    {% endfor %}
    case when told.target > told.booked_so_far then told.open_amount / (cast(told.target as double) - told.booked_so_far) end as coverage,
    cast(told.target - told.median as decimal(18, 2)) as gap,
    cast(told.open_deals_without_amount as bigint) as open_deals_without_amount,
    {% for naive in ['crm_weights', 'last_period', 'same_period_last_year'] %}
        cast(backtest.{{ naive }} as decimal(18, 2)) as {{ naive }}{{ ',' if not loop.last }}
    {% endfor %}
from told
cross join {{ ref('stg_as_of') }} as as_of
left join {{ ref('int_bookings_backtest') }} as backtest
    on
        told.segment = 'all'
        and told.team = 'all'
        and told.horizon = backtest.horizon
        and told.made_on = backtest.moment_on
        and told.currency = backtest.currency
