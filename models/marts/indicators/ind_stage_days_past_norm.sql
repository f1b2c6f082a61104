-- Below zero the deal may stay in its stage for so many days more; above, it has outstayed the norm. The norm is the one
-- in force a month before the stay began: an ending that is recorded late may still change the newest. Null where there
-- is no norm, and where it is not known when the stay began.
with stays as (
    select
        known.deal_id,
        known.stage_id,
        known.entered_at,
        known.known_at,
        known._load_id,
        deals.segment,
        deals.country,
        visits.is_left_truncated,
        {{ dbt.dateadd('month', -1, 'known.entered_at') }} as norm_at
    from {{ ref('int_indicator_stages_known') }} as known
    inner join {{ ref('dim_deals') }} as deals on known.deal_number = deals._deal_number
    inner join {{ ref('fct_stage_visits') }} as visits
        on known.deal_number = visits._deal_number and known.visit_number = visits.visit_number
    where
        known.is_open_stage
        -- a stage that was clicked through within the second is no stay
        and (known.until_at is null or known.until_at > known.known_at)
        and {{ is_newly_built('known._load_id') }}
),

norms as (
    select
        stage_id,
        segment,
        norm_business_days,
        valid_from,
        coalesce(valid_to, cast('9999-12-31' as date)) as valid_to
    from {{ ref('norms') }}
    where subject = 'stage' and norm_business_days is not null
),

targets as (
    select
        stays.*,
        case
            when not stays.is_left_truncated
                then
                    {{ business_day_number_at('days', 'stays.entered_at') }}
                    + cast(ceil(coalesce(own.norm_business_days, overall.norm_business_days)) as integer)
        end as target_day_number
    from stays
    left join norms as own
        on
            stays.stage_id = own.stage_id
            and stays.segment = own.segment
            and stays.norm_at >= own.valid_from
            and stays.norm_at < own.valid_to
    left join norms as overall
        on
            stays.stage_id = overall.stage_id
            and overall.segment = '(all)'
            and stays.norm_at >= overall.valid_from
            and stays.norm_at < overall.valid_to
    left join {{ ref('int_business_days') }} as days
        on stays.country = days.country and cast(stays.entered_at as date) = days.date_day
)

select
    targets.deal_id,
    targets.known_at as changed_at,
    {{ days_between('ended.closes_at', 'targets.known_at') }} as value,
    cast(1 as double) as grows_per_day,
    targets._load_id
from targets
left join {{ ref('int_business_days_ended') }} as ended
    on targets.country = ended.country and targets.target_day_number = ended.business_day_number
