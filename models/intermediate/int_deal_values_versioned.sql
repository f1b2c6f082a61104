{{ config(materialized='incremental', incremental_strategy='by_deal') }}

-- A deal's value as a step function. What the CRM shows now is the truth at the end; going back, each change's
-- old value is what held until it. Before the first logged change its old value held; a field without any logged
-- change has today's value since the creation: the best that is known, and marked by has_..._log = false.
with deals as (
    select * from {{ ref('dim_deals') }}
    where {{ is_newly_built() }}
),

statuses as (
    select * from {{ ref('int_deal_statuses_derived') }}
    where {{ is_newly_built() }}
),

changes as (
    select * from {{ ref('int_deal_changes_parsed') }}
    where {{ is_newly_built() }}
),

moments as (
    select
        deal_id,
        started_at as valid_from,
        status_number,
        0 as amount_number,
        0 as date_number,
        0 as owner_number
    from statuses
    union all
    select
        changes.deal_id,
        -- no value before the deal
        greatest(changes.changed_at, statuses.started_at) as valid_from,
        0 as status_number,
        case when changes.field = 'amount' then changes.change_number else 0 end as amount_number,
        case when changes.field = 'expected_close_date' then changes.change_number else 0 end as date_number,
        case when changes.field = 'owner_id' then changes.change_number else 0 end as owner_number
    from changes
    inner join statuses on changes.deal_id = statuses.deal_id and statuses.status_number = 0
),

-- what holds at a moment is what all its changes together left: the frame takes the equals in
numbered as (
    select
        deal_id,
        valid_from,
        lead(valid_from) over timeline as valid_to,
        max(status_number) over timeline as status_number,
        max(amount_number) over timeline as amount_number,
        max(date_number) over timeline as date_number,
        max(owner_number) over timeline as owner_number
    from moments
    window timeline as (partition by deal_id order by valid_from)
),

versions as (
    select * from numbered
    where valid_to is distinct from valid_from
)

select
    versions.deal_id,
    statuses.status,
    statuses.pipeline,
    deals.segment,
    deals.currency,
    case when next_owner.deal_id is null then deals.owner_id else next_owner.old_owner_id end as owner_id,
    case when next_amount.deal_id is null then deals.amount else next_amount.old_amount end as amount,
    case when next_date.deal_id is null then deals.expected_close_date else next_date.old_date end
        as expected_close_date,
    next_amount.deal_id is not null or versions.amount_number > 0 as has_amount_log,
    next_date.deal_id is not null or versions.date_number > 0 as has_close_date_log,
    next_owner.deal_id is not null or versions.owner_number > 0 as has_owner_log,
    versions.valid_from,
    versions.valid_to,
    deals._load_id
from versions
inner join deals on versions.deal_id = deals.deal_id
inner join statuses
    on versions.deal_id = statuses.deal_id and versions.status_number = statuses.status_number
left join changes as next_amount
    on
        versions.deal_id = next_amount.deal_id
        and versions.amount_number + 1 = next_amount.change_number
        and next_amount.field = 'amount'
left join changes as next_date
    on
        versions.deal_id = next_date.deal_id
        and versions.date_number + 1 = next_date.change_number
        and next_date.field = 'expected_close_date'
left join changes as next_owner
    on
        versions.deal_id = next_owner.deal_id
        and versions.owner_number + 1 = next_owner.change_number
        and next_owner.field = 'owner_id'
