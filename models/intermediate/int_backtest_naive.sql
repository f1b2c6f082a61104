-- What a company without charts would have gone by: wins and revenue of a month, and conversion of a stage in a week,
-- each against the mean of the year before less three standard deviations. Known when the month or week is over.
with won as (
    select
        cast({{ dbt.date_trunc('month', 'visits.entered_at') }} as date) as month_date,
        count(*) as wins,
        sum(deals.amount) as revenue
    from {{ ref('fct_stage_visits') }} as visits
    inner join {{ ref('dim_stages') }} as stages on visits.stage_id = stages.stage_id and stages.is_won
    inner join {{ ref('dim_deals') }} as deals on visits.deal_id = deals.deal_id
    group by {{ dbt.date_trunc('month', 'visits.entered_at') }}
),

weeks as (
    select
        stage_id,
        cast({{ dbt.date_trunc('week', 'exited_date') }} as date) as week_date,
        sum(case when exit_type = 'advanced' then 1.0 else 0 end) / count(*) as conversion
    from {{ ref('int_chart_visits') }}
    where exit_type in ('advanced', 'lost')
    group by stage_id, {{ dbt.date_trunc('week', 'exited_date') }}
),

figures as (
    select
        'monthly_wins' as figure,
        '' as stage_id,
        cast({{ dbt.dateadd('month', 1, 'month_date') }} as date) as shown_on,
        cast(wins as double) as value,
        12 as periods
    from won
    union all
    select
        'monthly_revenue' as figure,
        '' as stage_id,
        cast({{ dbt.dateadd('month', 1, 'month_date') }} as date) as shown_on,
        cast(revenue as double) as value,
        12 as periods
    from won
    union all
    select
        'weekly_conversion' as figure,
        stage_id,
        cast({{ dbt.dateadd('day', 7, 'week_date') }} as date) as shown_on,
        cast(conversion as double) as value,
        52 as periods
    from weeks
),

compared as (
    select
        *,
        case
            when periods = 12 then avg(value) over year_of_months - 3 * stddev_samp(value) over year_of_months
            else avg(value) over year_of_weeks - 3 * stddev_samp(value) over year_of_weeks
        end as lowest_usual,
        row_number() over (partition by figure, stage_id order by shown_on) as periods_known
    from figures
    window
        year_of_months as (
            partition by figure, stage_id order by shown_on rows between 12 preceding and 1 preceding
        ),
        year_of_weeks as (
            partition by figure, stage_id order by shown_on rows between 52 preceding and 1 preceding
        )
)

select
    figure,
    stage_id,
    shown_on,
    value,
    lowest_usual
from compared
where
    value < lowest_usual
    and periods_known > periods
    -- a month or week that is not over shows nothing yet
    and shown_on <= (select as_of from {{ ref('stg_as_of') }})
