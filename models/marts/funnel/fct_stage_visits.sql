{{ config(materialized='incremental', incremental_strategy='by_deal') }}

-- Segment, channel and product stand here as well as in dim_deals: every cohort and chart groups by them, and a
-- change of them rebuilds the deal. The team is that of the owner when the stay began.
with deals as (
    select
        deals._deal_number as deal_number,
        deals.deal_id,
        deals.segment,
        deals.channel,
        deals.product,
        deals.country,
        deals.owner_id,
        deals.created_at
    from {{ ref('dim_deals') }} as deals
    where {{ is_newly_built('deals._load_id') }}
),

visits as (
    select
        visits.*,
        deals.deal_id,
        deals.segment,
        deals.channel,
        deals.product,
        deals.country,
        deals.owner_id,
        visits.visit_number = 1 and (
            not coalesce(visits.is_entered_at_exact, false)
            or visits.entered_at > coalesce({{ dbt.dateadd('day', 1, 'deals.created_at') }}, visits.entered_at)
        ) as is_left_truncated
    from {{ ref('int_stage_visits_built') }} as visits
    inner join deals on visits.deal_number = deals.deal_number
    where {{ is_newly_built('visits._load_id') }}
)

select
    visits.deal_id || '#' || cast(visits.visit_number as {{ dbt.type_string() }}) as stage_visit_id,
    visits.deal_id,
    visits.stage_id,
    visits.next_stage_id,
    visits.entered_by_id,
    case when first_owner.deal_number is null then visits.owner_id else first_owner.owner_id end as owner_id,
    visits.segment,
    visits.channel,
    coalesce(owners.team, 'unknown') as team,
    visits.product,
    cast(visits.visit_number as integer) as visit_number,
    cast(visits.stage_visit_number as integer) as stage_visit_number,
    visits.exit_type,
    -- a stay that has not ended has no duration yet, it is censored, not short; nor has one that began we know not when
    case
        when not visits.is_left_truncated
            then cast({{ dbt.datediff('visits.entered_at', 'visits.exited_at', 'day') }} as integer)
    end as days_in_stage,
    case
        when not visits.is_left_truncated
            then cast(
                {{ business_day_number_at('exit_day', 'visits.exited_at') }}
                - {{ business_day_number_at('entry_day', 'visits.entered_at') }} as integer
            )
    end as business_days_in_stage,
    cast(case when not visits.is_left_truncated then visits.stages_skipped end as integer) as stages_skipped,
    -- a hand-over does not end a stay: the deal is where it was
    cast(greatest(coalesce(last_owner.handover_number - first_owner.handover_number, 0), 0) as integer)
        as handover_count,
    visits.stage_visit_number > 1 as is_reentry,
    visits.is_reopening,
    visits.is_after_closing,
    visits.is_left_truncated,
    visits.is_entered_at_exact,
    visits.entered_at,
    visits.exited_at,
    visits.deal_number as _deal_number,
    visits._load_id
from visits
left join {{ ref('int_business_days') }} as entry_day
    on visits.country = entry_day.country and cast(visits.entered_at as date) = entry_day.date_day
left join {{ ref('int_business_days') }} as exit_day
    on visits.country = exit_day.country and cast(visits.exited_at as date) = exit_day.date_day
left join {{ ref('int_deal_owners_versioned') }} as first_owner
    on
        visits.deal_number = first_owner.deal_number
        and visits.entered_at >= first_owner.valid_from
        and visits.entered_at < first_owner.valid_to
left join {{ ref('int_deal_owners_versioned') }} as last_owner
    on
        visits.deal_number = last_owner.deal_number
        and coalesce(visits.exited_at, cast('9999-12-31' as {{ dbt.type_timestamp() }})) > last_owner.valid_from
        and coalesce(visits.exited_at, cast('9999-12-31' as {{ dbt.type_timestamp() }})) <= last_owner.valid_to
left join {{ ref('dim_users') }} as owners
    on case when first_owner.deal_number is null then visits.owner_id else first_owner.owner_id end = owners.user_id
