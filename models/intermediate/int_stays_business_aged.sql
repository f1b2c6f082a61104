-- int_stays_counted on the business clock, for stays in stages by segment: business days begun until the way out, or
-- until the last whole day. Grain: one row per stage, segment, month of entry, way out (null while there) and age.
with clock as (
    select
        cast({{ first_day_not_whole() }} as {{ dbt.type_timestamp() }}) as today,
        {{ dbt.dateadd('second', -1, 'cast(' ~ first_day_not_whole() ~ ' as ' ~ dbt.type_timestamp() ~ ')') }} as last_second
    from {{ ref('stg_as_of') }}
),

left_by_then as (
    select
        stage_id,
        segment,
        cast({{ dbt.date_trunc('month', 'entered_at') }} as date) as cohort_month,
        exit_type,
        business_days_in_stage as business_age_days
    from {{ ref('fct_stage_visits') }}
    cross join clock
    where exited_at < today and business_days_in_stage is not null
),

still_there as (
    select
        visits.stage_id,
        visits.segment,
        cast({{ dbt.date_trunc('month', 'visits.entered_at') }} as date) as cohort_month,
        cast(null as {{ dbt.type_string() }}) as exit_type,
        {{ business_day_number_at('last_day', 'clock.last_second') }}
        - {{ business_day_number_at('entry_day', 'visits.entered_at') }} as business_age_days
    from {{ ref('fct_stage_visits') }} as visits
    cross join clock
    inner join {{ ref('dim_deals') }} as deals on visits.deal_id = deals.deal_id
    inner join {{ ref('int_business_days') }} as entry_day
        on deals.country = entry_day.country and cast(visits.entered_at as date) = entry_day.date_day
    inner join {{ ref('int_business_days') }} as last_day
        on deals.country = last_day.country and cast(clock.last_second as date) = last_day.date_day
    where
        visits.entered_at < clock.today
        and coalesce(visits.exited_at, clock.today) >= clock.today
        and not visits.is_left_truncated
)

select
    stage_id,
    segment,
    cohort_month,
    exit_type,
    business_age_days,
    count(*) as stays
from (
    select * from left_by_then
    union all
    select * from still_there
)
group by stage_id, segment, cohort_month, exit_type, business_age_days
