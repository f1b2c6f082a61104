{{ config(
    materialized='incremental',
    incremental_strategy='by_deal',
    sparse=true,
    post_hook='delete from {{ this }} where ledger_bucket > {{ ledger_buckets() }}',
) }}

-- The moments at which indicators are held against the outcome, and how the deal ended: an age of the deal, or so many
-- days after it first entered a stage. Only where it was known to be open, and was; landmarks ahead stand here already,
-- so that a deal nobody touches comes to them by itself. Of a very large company a sample of the deals; those that are
-- no longer in it go.
{% set far = "cast('9999-12-31' as " ~ dbt.type_timestamp() ~ ')' %}
with deals as (
    select
        deals.deal_id,
        deals._deal_number as deal_number,
        {{ ledger_bucket('deals.deal_id') }} as ledger_bucket,
        deals.crm,
        deals.segment,
        deals.owner_id,
        deals.created_at,
        case when facts.won_at is not null or facts.lost_at is not null then deals.status end as outcome,
        coalesce(facts.won_at, facts.lost_at) as ended_at
    from {{ ref('dim_deals') }} as deals
    inner join {{ ref('fct_deals') }} as facts on deals._deal_number = facts._deal_number
    where
        {{ ledger_bucket('deals.deal_id') }} <= {{ ledger_buckets() }}
        and {{ is_newly_built('deals._load_id') }}
),

stays as (
    select
        known.*,
        coalesce(known.until_at, {{ far }}) as known_until_at
    from {{ ref('int_indicator_stages_known') }} as known
    where known.is_open_stage and {{ is_newly_built('known._load_id') }}
),

landmarks as (
    {% for days in var('indicator_ages') %}
        select
            stays.deal_number,
            'age_{{ days }}' as landmark,
            stays.stage_id,
            stays.phase,
            {{ dbt.dateadd('day', days, 'deals.created_at') }} as landmark_at
        from stays
        inner join deals on stays.deal_number = deals.deal_number
        where
            {{ dbt.dateadd('day', days, 'deals.created_at') }} >= stays.known_at
            and {{ dbt.dateadd('day', days, 'deals.created_at') }} < stays.known_until_at
        union all
    {% endfor %}
    {% for days in var('indicator_stage_days') %}
        select
            deal_number,
            'stage_{{ days }}' as landmark,
            stage_id,
            phase,
            {{ dbt.dateadd('day', days, 'known_at') }} as landmark_at
        from stays
        where stage_visit_number = 1 and {{ dbt.dateadd('day', days, 'known_at') }} < known_until_at
        {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    deals.deal_id,
    landmarks.deal_number,
    deals.ledger_bucket,
    landmarks.landmark,
    landmarks.stage_id,
    landmarks.phase,
    deals.crm,
    deals.segment,
    case when owners.deal_number is null then deals.owner_id else owners.owner_id end as owner_id,
    -- deals of one stage differ by age too
    case
        when landmarks.landmark like 'age%' then landmarks.landmark
        when landmarks.landmark_at < {{ dbt.dateadd('day', 14, 'deals.created_at') }} then 'under 14 days'
        when landmarks.landmark_at < {{ dbt.dateadd('day', 30, 'deals.created_at') }} then '14 to 29 days'
        when landmarks.landmark_at < {{ dbt.dateadd('day', 60, 'deals.created_at') }} then '30 to 59 days'
        when landmarks.landmark_at < {{ dbt.dateadd('day', 120, 'deals.created_at') }} then '60 to 119 days'
        else '120 days and more'
    end as age_band,
    landmarks.landmark_at,
    deals.outcome,
    case
        when deals.outcome is not null then cast(floor({{ days_between('landmarks.landmark_at', 'deals.ended_at') }}) as integer)
    end as days_to_end,
    (select newest_load_id from {{ ref('stg_as_of') }}) as _load_id
from landmarks
inner join deals on landmarks.deal_number = deals.deal_number
left join {{ ref('int_deal_owners_versioned') }} as owners
    on
        deals.deal_number = owners.deal_number
        and landmarks.landmark_at >= owners.valid_from
        and landmarks.landmark_at < owners.valid_to
where deals.ended_at is null or landmarks.landmark_at < deals.ended_at
