-- Deals of a month of creation, to won, lost and first revenue: what is so far, and what will be when all have ended.
-- An open deal counts with the chance of deals as old as it in its segment; its amount, times what amounts did to
-- winning so far (the value win rate over the win rate, of ended deals). Counts and amounts, expected ones too, are
-- additive, amounts within a currency; rates are not.
with clock as (
    select {{ last_whole_day() }} as yesterday from {{ ref('stg_as_of') }}
),

deals as (
    select
        deals.pipeline,
        deals.segment,
        coalesce(deals.currency, 'unknown') as currency,
        cast({{ dbt.date_trunc('month', 'deals.created_at') }} as date) as cohort_month,
        deals.amount,
        facts.paid_amount,
        facts.won_at is not null as is_won,
        facts.lost_at is not null and facts.won_at is null as is_lost,
        facts.won_at is null and facts.lost_at is null as is_open,
        facts.first_payment_at is not null as is_paying,
        {{ dbt.datediff('deals.created_at', 'clock.yesterday', 'day') }} as age_days,
        'deal|' || deals.pipeline || '|segment|' || deals.segment as group_id,
        -- a key and not a condition beside it: joined by hash, and deals that have ended find nothing
        case
            when facts.won_at is null and facts.lost_at is null
                then 'deal|' || deals.pipeline || '|segment|' || deals.segment
        end as open_group_id
    from {{ ref('dim_deals') }} as deals
    inner join {{ ref('fct_deals') }} as facts on deals.deal_id = facts.deal_id
    cross join clock
),

-- above 1 where large deals are won more often
value_effects as (
    select
        pipeline,
        segment,
        currency,
        (sum(case when is_won then amount end) / nullif(sum(amount), 0))
        / nullif(cast(count(case when is_won then amount end) as double) / nullif(count(amount), 0), 0) as value_effect
    from deals
    where is_won or is_lost
    group by pipeline, segment, currency
),

judged as (
    select
        deals.*,
        chances.advanced_chance as chance,
        cohorts.advanced_weight,
        cohorts.lost_weight,
        -- not by least(): it passes over a chance that is null
        case
            when chances.advanced_chance * value_effects.value_effect > 1 then 1
            else chances.advanced_chance * coalesce(value_effects.value_effect, 1)
        end as value_chance
    from deals
    inner join {{ ref('int_cohorts_judged') }} as cohorts
        on deals.group_id = cohorts.group_id and deals.cohort_month = cohorts.cohort_month
    left join {{ ref('int_open_stays_expected') }} as chances
        on
            deals.open_group_id = chances.group_id
            and deals.cohort_month = chances.cohort_month
            and deals.age_days = chances.age_days
    left join value_effects
        on
            deals.pipeline = value_effects.pipeline
            and deals.segment = value_effects.segment
            and deals.currency = value_effects.currency
),

summed as (
    select
        pipeline,
        segment,
        cohort_month,
        currency,
        count(*) as entered,
        sum(case when is_won then 1 else 0 end) as advanced,
        sum(case when is_lost then 1 else 0 end) as lost,
        sum(case when is_open then 1 else 0 end) as still_there,
        sum(case when is_paying then 1 else 0 end) as paying,
        sum(case when is_won then 1 else coalesce(chance, 0) end) as expected_advanced,
        sum(coalesce(chance * (1 - chance), 0))
        + power(sum(coalesce(chance * (1 - chance), 0)), 2) * (1 / min(advanced_weight) + 1 / min(lost_weight))
            as variance,
        sum(amount) as created_amount,
        sum(case when is_won then amount end) as won_amount,
        sum(case when is_lost then amount end) as lost_amount,
        sum(case when is_open then amount end) as open_amount,
        sum(case when is_won then amount else amount * value_chance end) as expected_won_amount,
        sum(paid_amount) as paid_amount,
        count(*) - count(amount) as deals_without_amount
    from judged
    group by pipeline, segment, cohort_month, currency
)

select
    pipeline,
    segment,
    cohort_month,
    currency,
    cast(entered as bigint) as created,
    cast(advanced as bigint) as won,
    cast(lost as bigint) as lost,
    cast(still_there as bigint) as open,
    cast(paying as bigint) as paying,
    cast(advanced as double) / entered as win_rate_ever_created,
    cast(advanced as double) / nullif(advanced + lost, 0) as win_rate_resolved_only,
    {{ expected_rate() }} as win_rate_expected,
    {{ expected_rate_low() }} as win_rate_low,
    {{ expected_rate_high() }} as win_rate_high,
    {{ is_too_young() }} as is_too_young,
    cast(expected_advanced as double) as expected_won,
    cast(created_amount as decimal(18, 2)) as created_amount,
    cast(coalesce(won_amount, 0) as decimal(18, 2)) as won_amount,
    cast(coalesce(lost_amount, 0) as decimal(18, 2)) as lost_amount,
    cast(coalesce(open_amount, 0) as decimal(18, 2)) as open_amount,
    cast(expected_won_amount as decimal(18, 2)) as expected_won_amount,
    cast(paid_amount as decimal(18, 2)) as paid_amount,
    cast(deals_without_amount as bigint) as deals_without_amount,
    (select as_of from {{ ref('stg_as_of') }}) as as_of
from summed
