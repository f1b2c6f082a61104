{{ config(materialized='table') }}

-- What risk is learnt from: open deals as they stood on every 13th day (which moves through weeks and quarters), and what
-- became of them. A deal that is open 90 days later was not won within 90 days; to learn from ended deals alone would be
-- to learn from the quick ones. Whether it is ever won is known of a deal that has ended, and of one that is still open
-- after as long as one in ten of its age could be watched: it was not won, or a deal that nobody closes would teach
-- nothing. Each of them counts for those of its age that could not be watched for as long: the inverse of the share that
-- could, counted, not modelled. By age, since deals that nobody closes are old, and most of them have been watched least.
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
        {{ days_between('stays.created_at', 'cast(days.snapshot_on as ' ~ dbt.type_timestamp() ~ ')') }} as age_days,
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
        least(cast(floor(age_days / 90) as integer), 4) as age_class,
        case when watched_now > 0 then power(0.5, watched_now / {{ var('cohort_half_life_days') }}.0) else 0 end
            as weight_now,
        case when watched_then > 0 then power(0.5, watched_then / {{ var('cohort_half_life_days') }}.0) else 0 end
            as weight_then
    from snapshots
),

by_day as (
    select
        age_class,
        watched_now,
        sum(weight_now) as weight
    from weighed
    group by age_class, watched_now
),

longest as (
    select
        age_class,
        sum(weight) as weight_of_all,
        max(case when 10 * weight_as_long >= weight_of_class then watched_now end) as watched
    from (
        select
            *,
            sum(weight) over (partition by age_class order by watched_now desc) as weight_as_long,
            sum(weight) over (partition by age_class) as weight_of_class
        from by_day
    ) as as_long
    group by age_class
),

-- for how many days it has to have been watched, and one more, to tell what became of it
needed as (
    select
        weighed.*,
        least(coalesce(weighed.days_to_end, longest.watched), longest.watched - 1) as days_needed,
        longest.weight_of_all
    from weighed
    left join longest on weighed.age_class = longest.age_class and longest.watched >= 90
),

stands_for as (
    select
        needs.age_class,
        needs.days_needed,
        max(needs.weight_of_all) / sum(by_day.weight) as times
    from (
        select distinct
            age_class,
            days_needed,
            weight_of_all
        from needed
    ) as needs
    inner join by_day on needs.age_class = by_day.age_class and needs.days_needed < by_day.watched_now
    group by needs.age_class, needs.days_needed
)

select
    cast(row_number() over (order by needed.snapshot_on, needed.deal_id) as integer) as snapshot_number,
    needed.deal_id,
    needed.crm,
    needed.stage_id,
    needed.phase,
    needed.segment,
    needed.snapshot_on,
    needed.tested_on,
    needed.snapshot_at,
    needed.age_days,
    {{ days_between('needed.entered_at', 'needed.snapshot_at') }} as days_in_stage,
    needed.days_to_end,
    needed.watched_now,
    case when needed.won_at is not null and needed.days_to_end < 90 then 1 else 0 end as win_90d,
    case when needed.won_at is null and needed.days_to_end < 30 then 1 else 0 end as lost_30d,
    case when needed.won_at is not null then 1 else 0 end as win_ever,
    {% for fit, outcome in risk_fits().items() if outcome in horizons %}
        {% set model = fit.split('_') | last %}
        case when watched_{{ model }} >= {{ horizons[outcome] }} then weight_{{ model }} else 0 end as weight_{{ fit }},
    {% endfor %}
    case when needed.watched_now > needed.days_needed then weight_now * stands_for.times else 0 end as weight_win_ever_now
from needed
left join stands_for on needed.age_class = stands_for.age_class and needed.days_needed = stands_for.days_needed
