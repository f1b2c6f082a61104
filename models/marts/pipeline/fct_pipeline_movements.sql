{% set inflows = ['created', 'reopened', 'pulled_in', 'rolled_in', 'transferred_in', 'increased'] %}
{% set outflows = ['won', 'lost', 'pushed_out', 'rolled_out', 'transferred_out', 'decreased'] %}

-- The waterfall: opening + inflows - outflows = closing, for every day on which a place held deals or saw one move.
-- A place is pipeline, horizon, segment, team and currency. The moves are small and few, and stand deal by deal
-- below, so the sums are made anew each night; that way the owners' teams are today's on every row.
with movements as (
    select
        movements.*,
        cast(movements.moved_at as date) as date_day,
        coalesce(from_owners.team, 'unknown') as from_team,
        coalesce(to_owners.team, 'unknown') as to_team
    from {{ ref('int_pipeline_movements_derived') }} as movements
    left join {{ ref('dim_users') }} as from_owners on movements.from_owner_id = from_owners.user_id
    left join {{ ref('dim_users') }} as to_owners on movements.to_owner_id = to_owners.user_id
    where movements.moved_at <= (select as_of from {{ ref('stg_as_of') }})
),

sides as (
    select
        date_day,
        to_pipeline as pipeline,
        to_horizon as close_horizon,
        segment,
        to_team as team,
        currency,
        case kind
            when 'redated' then 'pulled_in'
            when 'rolled' then 'rolled_in'
            when 'transferred' then 'transferred_in'
            else kind
        end as flow,
        case
            when kind in ('increased', 'decreased') then abs(coalesce(amount, 0) - coalesce(old_amount, 0))
            else coalesce(amount, 0)
        end as amount,
        case when amount is null then 1 else 0 end
        - case when kind in ('increased', 'decreased') and old_amount is null then 1 else 0 end as without_amount
    from movements
    where
        to_pipeline is not null
        and not (kind = 'transferred' and from_team = to_team and from_pipeline = to_pipeline)

    union all

    select
        date_day,
        from_pipeline as pipeline,
        from_horizon as close_horizon,
        segment,
        from_team as team,
        currency,
        case kind
            when 'redated' then 'pushed_out'
            when 'rolled' then 'rolled_out'
            when 'transferred' then 'transferred_out'
            else kind
        end as flow,
        coalesce(old_amount, 0) as amount,
        case when old_amount is null then -1 else 0 end as without_amount
    from movements
    where
        from_pipeline is not null
        and kind not in ('increased', 'decreased')
        and not (kind = 'transferred' and from_team = to_team and from_pipeline = to_pipeline)
),

flows as (
    select
        date_day,
        pipeline,
        close_horizon,
        segment,
        team,
        currency,
        flow,
        sum(amount) as amount,
        count(*) as deals,
        sum(without_amount) as without_amount
    from sides
    group by date_day, pipeline, close_horizon, segment, team, currency, flow
),

days as (
    select
        date_day,
        pipeline,
        close_horizon,
        segment,
        team,
        currency,
        {% for flow in inflows + outflows %}
            sum(case when flow = '{{ flow }}' then amount else 0 end) as {{ flow }}_amount,
            sum(case when flow = '{{ flow }}' then deals else 0 end) as {{ flow }}_deals,
        {% endfor %}
        sum(without_amount) as without_amount
    from flows
    group by date_day, pipeline, close_horizon, segment, team, currency
),

places as (
    select
        pipeline,
        close_horizon,
        segment,
        team,
        currency,
        min(date_day) as first_date
    from days
    group by pipeline, close_horizon, segment, team, currency
),

-- every day of a place since its first, so that deals at rest keep their rows
calendar as (
    select
        dates.date_day,
        places.pipeline,
        places.close_horizon,
        places.segment,
        places.team,
        places.currency,
        {% for flow in inflows + outflows %}
            coalesce(days.{{ flow }}_amount, 0) as {{ flow }}_amount,
            coalesce(days.{{ flow }}_deals, 0) as {{ flow }}_deals,
        {% endfor %}
        coalesce(days.without_amount, 0) as without_amount
    from places
    inner join {{ ref('dim_dates') }} as dates
        on
            places.first_date <= dates.date_day
            and dates.date_day <= (select cast(as_of as date) from {{ ref('stg_as_of') }})
    left join days
        on
            dates.date_day = days.date_day
            and places.pipeline = days.pipeline
            and places.close_horizon = days.close_horizon
            and places.segment = days.segment
            and places.team = days.team
            and places.currency = days.currency
),

nets as (
    select
        *,
        {{ inflows | join('_amount + ') }}_amount - {{ outflows | join('_amount - ') }}_amount as net_amount,
        -- a change of the amount moves no deal
        {{ inflows[:-1] | join('_deals + ') }}_deals - {{ outflows[:-1] | join('_deals - ') }}_deals as net_deals
    from calendar
),

balances as (
    select
        *,
        sum(net_amount) over so_far as closing_amount,
        sum(net_deals) over so_far as closing_deals,
        sum(without_amount) over so_far as deals_without_amount
    from nets
    window so_far as (partition by pipeline, close_horizon, segment, team, currency order by date_day)
)

select
    cast(date_day as {{ dbt.type_string() }})
    || ':' || pipeline || ':' || close_horizon || ':' || segment || ':' || team || ':' || currency as pipeline_day_id,
    date_day,
    pipeline,
    close_horizon,
    segment,
    team,
    currency,
    cast(closing_amount - net_amount as decimal(18, 2)) as opening_amount,
    {% for flow in inflows + outflows %}
        cast({{ flow }}_amount as decimal(18, 2)) as {{ flow }}_amount,
    {% endfor %}
    cast(closing_amount as decimal(18, 2)) as closing_amount,
    cast(closing_deals - net_deals as bigint) as opening_deals,
    {% for flow in inflows + outflows %}
        cast({{ flow }}_deals as bigint) as {{ flow }}_deals,
    {% endfor %}
    cast(closing_deals as bigint) as closing_deals,
    cast(deals_without_amount as bigint) as deals_without_amount
from balances
where
    closing_deals - net_deals <> 0
    or {{ (inflows + outflows) | join('_deals + ') }}_deals <> 0
