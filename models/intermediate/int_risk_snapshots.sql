{{ config(materialized='table') }}

-- What risk is learnt from: open deals as they stood on every 13th day (which moves through weeks and quarters), and what
-- became of them. A deal that is open 90 days later was not won within 90 days; to learn from ended deals alone would be
-- to learn from the quick ones. Whether it is ever won is known of ended deals only, so each of them counts for those
-- like it that could not be watched for as long: the inverse of the share that could, counted, not modelled.
-- Two models are learnt side by side: today's (`now`), and that of `tested_on` from what was known on that day (`then`),
-- to be tried on what came after. The recent count more. A weight is 0 where the model did not know the outcome.
-- Grain: one row per deal and day; of a large company, of the deals with the lowest hashes.
{% set far = "cast('9999-12-31' as " ~ dbt.type_timestamp() ~ ')' %}
{% set day_zero = "cast('2000-01-03' as date)" %}
{% set horizons = {'win_90d': 90, 'lost_30d': 30} %}
with clock as (
    select
        {{ first_day_not_whole() }} as today,
        cast({{ dbt.dateadd('day', -90, first_day_not_whole()) }} as date) as newest_tested
    from {{ ref('stg_as_of') }}
),

days as (
    select
        days.date_day as snapshot_on,
        clock.today,
        max(case when days.date_day <= clock.newest_tested then days.date_day end) over () as tested_on
    from {{ ref('int_days_spanned') }} as days
    cross join clock
    where
        days.date_day < clock.today
        and days.date_day >= {{ dbt.dateadd('month', -1 * var('indicator_months'), 'clock.today') }}
        and mod({{ dbt.datediff(day_zero, 'days.date_day', 'day') }}, {{ var('risk_snapshot_days') }}) = 0
),

deals as (
    select
        deals.deal_id,
        deals.crm,
        deals.segment,
        deals.created_at,
        facts.won_at,
        coalesce(facts.won_at, facts.lost_at) as ended_at
    from {{ ref('dim_deals') }} as deals
    inner join {{ ref('fct_deals') }} as facts on deals.deal_id = facts.deal_id
    where
        not deals.is_excluded_from_norms
        and coalesce(facts.won_at, facts.lost_at, {{ far }}) > (select min(snapshot_on) from days)
    qualify row_number() over (order by {{ dbt.hash('deals.deal_id') }}, deals.deal_id) <= {{ var('risk_deals') }}
),

stays as (
    select
        deals.*,
        stays.stage_id,
        stays.phase,
        stays.entered_at,
        stays.known_at,
        coalesce(stays.until_at, {{ far }}) as until_at
    from {{ ref('int_indicator_stages_known') }} as stays
    inner join deals on stays.deal_id = deals.deal_id
    where stays.is_open_stage
),

snapshots as (
    select
        stays.*,
        days.snapshot_on,
        days.tested_on,
        cast(days.snapshot_on as {{ dbt.type_timestamp() }}) as snapshot_at,
        {{ dbt.datediff('days.snapshot_on', 'cast(stays.ended_at as date)', 'day') }} as days_to_end,
        {{ dbt.datediff('days.snapshot_on', 'days.today', 'day') }} as watched_now,
        {{ dbt.datediff('days.snapshot_on', 'days.tested_on', 'day') }} as watched_then
    from stays
    inner join days on stays.known_at <= days.snapshot_on and stays.until_at > days.snapshot_on
    where stays.ended_at is null or stays.ended_at > days.snapshot_on
),

weighed as (
    select
        *,
        case when watched_now > 0 then power(0.5, watched_now / {{ var('cohort_half_life_days') }}.0) else 0 end
            as weight_now,
        case when watched_then > 0 then power(0.5, watched_then / {{ var('cohort_half_life_days') }}.0) else 0 end
            as weight_then
    from snapshots
),

by_day as (
    select
        watched_now,
        sum(weight_now) as weight
    from weighed
    group by watched_now
),

stands_for as (
    select
        ends.days_to_end,
        sum(by_day.weight) / nullif(sum(case when by_day.watched_now > ends.days_to_end then by_day.weight end), 0)
            as times
    from (select distinct days_to_end from weighed) as ends
    cross join by_day
    group by ends.days_to_end
)

select
    cast(row_number() over (order by weighed.snapshot_on, weighed.deal_id) as integer) as snapshot_number,
    weighed.deal_id,
    weighed.crm,
    weighed.stage_id,
    weighed.phase,
    weighed.segment,
    weighed.snapshot_on,
    weighed.tested_on,
    weighed.snapshot_at,
    {{ days_between('weighed.created_at', 'weighed.snapshot_at') }} as age_days,
    {{ days_between('weighed.entered_at', 'weighed.snapshot_at') }} as days_in_stage,
    weighed.days_to_end,
    weighed.watched_now,
    case when weighed.won_at is not null and weighed.days_to_end < 90 then 1 else 0 end as win_90d,
    case when weighed.won_at is null and weighed.days_to_end < 30 then 1 else 0 end as lost_30d,
    case when weighed.won_at is not null then 1 else 0 end as win_ever,
    {% for fit, outcome in risk_fits().items() if outcome in horizons %}
        {% set model = fit.split('_') | last %}
        case when watched_{{ model }} >= {{ horizons[outcome] }} then weight_{{ model }} else 0 end as weight_{{ fit }},
    {% endfor %}
    case when weighed.days_to_end < weighed.watched_now then weight_now * coalesce(stands_for.times, 0) else 0 end
        as weight_win_ever_now
from weighed
left join stands_for on weighed.days_to_end = stands_for.days_to_end
