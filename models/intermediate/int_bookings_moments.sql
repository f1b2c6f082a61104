{{ config(materialized='table') }}

-- The pipeline as it stood at the turn of every month, and what came of it within each horizon: what was open, by stage,
-- segment and age, and what had been created of late. Its past is what a nowcast is learnt from and tried on; its last
-- moment is now. The horizon of the quarter's end is tried over as many days as are left of this quarter.
-- Grain: one row per moment, horizon, stage (of new deals: 'new'), segment, bin of age (of new deals: 0) and currency.
-- Additive within a moment and horizon.
{% set far = "cast('9999-12-31' as " ~ dbt.type_timestamp() ~ ')' %}
{% set horizons = ['days_30', 'days_60', 'days_90', 'quarter_end'] %}
with ahead as (
    select
        {% for horizon in horizons %}
            max(case when horizon = '{{ horizon }}' then days_ahead end) as {{ horizon }},
        {% endfor %}
        max(made_on) as made_on
    from {{ ref('int_bookings_horizons') }}
),

moments as (
    select
        days.date_day as moment_on,
        ahead.*
    from {{ ref('int_days_spanned') }} as days
    cross join ahead
    where
        days.date_day <= ahead.made_on
        and days.date_day > {{ dbt.dateadd('month', -1 * var('bookings_months'), 'ahead.made_on') }}
        and (days.date_day = ahead.made_on or days.date_day = cast({{ dbt.date_trunc('month', 'days.date_day') }} as date))
),

deals as (
    select
        deals._deal_number as deal_number,
        deals.deal_id,
        deals.segment,
        coalesce(deals.currency, 'unknown') as currency,
        deals.amount,
        deals.created_at,
        facts.won_at,
        coalesce(facts.won_at, facts.lost_at, {{ far }}) as ended_at
    from {{ ref('dim_deals') }} as deals
    inner join {{ ref('fct_deals') }} as facts on deals.deal_id = facts.deal_id
),

-- most stays begin and end between two of them; what began this month and ended today, before as_of, is as good as ended
stays as (
    select
        deal_id,
        stage_id,
        known_at,
        coalesce(until_at, {{ far }}) as until_at
    from {{ ref('int_indicator_stages_known') }}
    where
        is_open_stage
        and (
            until_at is null
            or {{ dbt.date_trunc('month', 'until_at') }}
            > {{ dbt.date_trunc('month', dbt.dateadd('second', -1, 'known_at')) }}
        )
),

open_deals as (
    select
        moments.*,
        deals.deal_number,
        stays.stage_id,
        deals.segment,
        deals.currency,
        {{ days_between('deals.created_at', 'cast(moments.moment_on as ' ~ dbt.type_timestamp() ~ ')') }} as age_days,
        case when deals.won_at is not null then {{ dbt.datediff('moments.moment_on', 'cast(deals.won_at as date)', 'day') }} end
            as days_to_win,
        deals.amount as won_amount
    from stays
    inner join deals on stays.deal_id = deals.deal_id
    inner join moments on stays.known_at <= moments.moment_on and stays.until_at > moments.moment_on
    where deals.ended_at > moments.moment_on
),

valued as (
    select
        open_deals.*,
        bins.bin as age_bin,
        coalesce(versions.amount, 0) as amount,
        versions.expected_close_date,
        coalesce(stages.crm_probability, declared.weight) as crm_weight
    from open_deals
    inner join {{ ref('int_risk_bins') }} as bins on bins.part = 'age_days' and {{ is_in_bin('open_deals.age_days') }}
    inner join {{ ref('int_stages_completed') }} as stages on open_deals.stage_id = stages.stage_id
    left join {{ ref('stage_weights') }} as declared
        on stages.crm = declared.crm and stages.pipeline = declared.pipeline and stages.stage = declared.stage
    left join {{ ref('int_deal_values_versioned') }} as versions
        on
            open_deals.deal_number = versions.deal_number
            and versions.valid_from <= open_deals.moment_on
            and coalesce(versions.valid_to, {{ far }}) > open_deals.moment_on
),

new_deals as (
    select
        moments.*,
        deals.segment,
        deals.currency,
        coalesce(deals.amount, 0) as won_amount,
        deals.created_at < moments.moment_on as is_recent,
        case
            when deals.won_at is not null and deals.created_at >= moments.moment_on
                then {{ dbt.datediff('moments.moment_on', 'cast(deals.won_at as date)', 'day') }}
        end as days_to_win
    from deals
    inner join moments
        on
            deals.created_at >= {{ dbt.dateadd('day', -91, 'moments.moment_on') }}
            and deals.created_at < {{ dbt.dateadd('day', 92, 'moments.moment_on') }}
),

summed as (
    select
        moment_on,
        {{ horizons | join(', ') }},
        stage_id,
        segment,
        age_bin,
        currency,
        count(*) as deals,
        sum(amount) as amount,
        sum(amount * amount) as amount_squared,
        {% for horizon in horizons %}
            sum(case when days_to_win < {{ horizon }} then 1 else 0 end) as won_{{ horizon }},
            sum(case when days_to_win < {{ horizon }} then won_amount else 0 end) as won_amount_{{ horizon }},
            cast(null as double) as won_squared_{{ horizon }},
            sum(
                case
                    when coalesce(expected_close_date, moment_on) < {{ dbt.dateadd('day', horizon, 'moment_on') }}
                        then amount * crm_weight
                    when crm_weight is not null then 0
                end
            ) as crm_amount_{{ horizon }}{{ ',' if not loop.last }}
        {% endfor %}
    from valued
    group by moment_on, {{ horizons | join(', ') }}, stage_id, segment, age_bin, currency
    union all
    -- of new deals, the volume is that of the last 13 weeks: it was known, and what came of the next ones is held against it
    select
        moment_on,
        {{ horizons | join(', ') }},
        'new' as stage_id,
        segment,
        0 as age_bin,
        currency,
        sum(case when is_recent then 1 else 0 end) as deals,
        cast(null as double) as amount,
        cast(null as double) as amount_squared,
        {% for horizon in horizons %}
            sum(case when days_to_win < {{ horizon }} then 1 else 0 end) as won_{{ horizon }},
            sum(case when days_to_win < {{ horizon }} then won_amount else 0 end) as won_amount_{{ horizon }},
            sum(case when days_to_win < {{ horizon }} then won_amount * won_amount else 0 end) as won_squared_{{ horizon }},
            cast(null as double) as crm_amount_{{ horizon }}{{ ',' if not loop.last }}
        {% endfor %}
    from new_deals
    group by moment_on, {{ horizons | join(', ') }}, segment, currency
)

{% for horizon in horizons %}
    select
        moment_on,
        '{{ horizon }}' as horizon,
        {{ horizon }} as days_ahead,
        stage_id,
        segment,
        age_bin,
        currency,
        deals,
        cast(amount as double) as amount,
        cast(amount_squared as double) as amount_squared,
        won_{{ horizon }} as won,
        cast(won_amount_{{ horizon }} as double) as won_amount,
        cast(won_squared_{{ horizon }} as double) as won_squared,
        cast(crm_amount_{{ horizon }} as double) as crm_amount
    from summed
    {{ 'union all' if not loop.last }}
{% endfor %}
