-- New deals by week, and what each group added to or took from the week against the twelve weeks before. Counts and
-- effects are additive within a week; shares are of the week. The effects of all groups add up to the change of the
-- high-margin share: a group adds to it by growing where its margin is high, or by shrinking where it is not.
-- Groups that had no deal in the week have a row while they had one in the weeks before.
with new_deals as (
    select
        cast({{ dbt.date_trunc('week', 'created_at') }} as date) as week_start_date,
        segment,
        channel,
        case
            when margin_rate is null then 'unknown'
            when margin_rate >= {{ var('margin_high_from') }} then 'high'
            when margin_rate >= {{ var('margin_medium_from') }} then 'medium'
            else 'low'
        end as margin_class,
        amount
    from {{ ref('dim_deals') }}
),

counted as (
    select
        week_start_date,
        segment,
        channel,
        margin_class,
        count(*) as new_deals
    from new_deals
    group by week_start_date, segment, channel, margin_class
),

weeks as (
    select
        dates.week_start_date,
        -- the day of which the extract saw a part does not make a week whole
        {{ dbt.dateadd('day', 7, 'dates.week_start_date') }}
        <= {{ first_day_not_whole() }} as is_week_complete,
        -- the weeks before, as far as there are any
        least(12, row_number() over (order by dates.week_start_date) - 1) as weeks_before
    from (select distinct week_start_date from {{ ref('dim_dates') }}) as dates
    cross join {{ ref('stg_as_of') }}
    where
        dates.week_start_date >= (select min(week_start_date) from counted)
        and dates.week_start_date <= as_of
),

compared as (
    select
        weeks.week_start_date,
        weeks.is_week_complete,
        weeks.weeks_before,
        counted.segment,
        counted.channel,
        counted.margin_class,
        sum(case when counted.week_start_date = weeks.week_start_date then new_deals else 0 end) as new_deals,
        sum(case when counted.week_start_date < weeks.week_start_date then new_deals else 0 end) as deals_before
    from weeks
    inner join counted
        on
            weeks.week_start_date >= counted.week_start_date
            and weeks.week_start_date <= {{ dbt.dateadd('week', 12, 'counted.week_start_date') }}
    group by
        weeks.week_start_date, weeks.is_week_complete, weeks.weeks_before,
        counted.segment, counted.channel, counted.margin_class
),

shares as (
    select
        *,
        cast(new_deals as double) / nullif(sum(new_deals) over weekly, 0) as share_of_week,
        cast(deals_before as double) / nullif(sum(deals_before) over weekly, 0) as share_before,
        cast(sum(case when margin_class = 'high' then deals_before else 0 end) over weekly as double)
        / nullif(sum(deals_before) over weekly, 0) as high_margin_share_before
    from compared
    window weekly as (partition by week_start_date)
)

select
    week_start_date,
    segment,
    channel,
    margin_class,
    cast(new_deals as bigint) as new_deals,
    cast(deals_before as double) / nullif(weeks_before, 0) as weekly_deals_before,
    -- of a week that is not complete less is expected: nothing is said
    case when is_week_complete then new_deals - cast(deals_before as double) / nullif(weeks_before, 0) end as added_deals,
    share_of_week,
    share_before,
    (share_of_week - share_before)
    * (case when margin_class = 'high' then 1 else 0 end - high_margin_share_before) as high_margin_share_effect,
    is_week_complete,
    cast(weeks_before as integer) as weeks_before
from shares
