-- Sales velocity = open deals x their mean amount x win rate / cycle, in money won a day. Its parts are read from all
-- deals, open ones among them: the win rate is that of the deals of the last twelve months when they will have ended, and
-- the cycle is the mean time to a win by the hazards of the segment, so that the quick ones, which are seen first, do
-- not speak for all. Not additive.
with outcomes as (
    select
        outcomes.pipeline,
        outcomes.segment,
        outcomes.currency,
        sum(outcomes.open) as open_deals,
        sum(outcomes.open_amount) as open_amount,
        sum(case when is_recent then outcomes.created end) as recent_deals,
        sum(case when is_recent then outcomes.expected_won end) as recent_expected_won
    from (
        select
            *,
            cohort_month >= {{ dbt.dateadd('month', -12, dbt.date_trunc('month', 'as_of')) }} as is_recent
        from {{ ref('cohort_deal_outcomes') }}
    ) as outcomes
    group by outcomes.pipeline, outcomes.segment, outcomes.currency
),

survived as (
    select
        group_id,
        age_days,
        advanced_hazard,
        coalesce(
            exp(sum(ln(greatest(1 - advanced_hazard - lost_hazard - other_hazard, 0.000000001))) over (
                partition by group_id order by age_days rows between unbounded preceding and 1 preceding
            )),
            1
        ) as survival_before
    from {{ ref('int_stay_hazards') }}
    where group_id like 'deal|%|segment|%'
),

cycles as (
    select
        group_id,
        sum(age_days * survival_before * advanced_hazard) / nullif(sum(survival_before * advanced_hazard), 0) as cycle_days
    from survived
    group by group_id
),

parts as (
    select
        outcomes.*,
        cast(open_amount as double) / nullif(open_deals, 0) as mean_open_amount,
        recent_expected_won / nullif(recent_deals, 0) as win_rate,
        cycles.cycle_days
    from outcomes
    left join cycles on 'deal|' || outcomes.pipeline || '|segment|' || outcomes.segment = cycles.group_id
)

select
    pipeline,
    segment,
    currency,
    cast(open_deals as bigint) as open_deals,
    mean_open_amount,
    cast(recent_deals as bigint) as win_rate_deals,
    win_rate,
    cycle_days,
    open_deals * mean_open_amount * win_rate / nullif(cycle_days, 0) as velocity_per_day,
    (select as_of from {{ ref('stg_as_of') }}) as as_of
from parts
