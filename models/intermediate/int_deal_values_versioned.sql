{{ config(materialized='incremental', incremental_strategy='by_deal', by='deal_number') }}

-- A deal's value as a step function. What the CRM shows now is the truth at the end; going back, each change's
-- old value is what held until it. Before the first logged change its old value held; a field without any logged
-- change has today's value since the creation: the best that is known, and marked by has_..._log = false.
-- An empty old value is a value too, so it is carried as '' to where it held. Of a status and an owner it is known
-- from when they held, so those are carried forward.
with deals as (
    select
        _deal_number as deal_number,
        pipeline,
        status,
        segment,
        currency,
        owner_id,
        amount,
        expected_close_date,
        _load_id
    from {{ ref('dim_deals') }}
    where {{ is_newly_built() }}
),

moments as (
    select
        deal_number,
        started_at as valid_from,
        status_number as moment_number,
        status,
        pipeline,
        null as owner_id,
        null as old_amount,
        null as old_date
    from {{ ref('int_deal_statuses_derived') }}
    where {{ is_newly_built() }}
    union all
    select
        deal_number,
        changed_at as valid_from,
        change_number as moment_number,
        null as status,
        null as pipeline,
        null as owner_id,
        case when field = 'amount' then coalesce(old_value, '') end as old_amount,
        case when field = 'expected_close_date' then coalesce(old_value, '') end as old_date
    from {{ ref('int_deal_changes_parsed') }}
    where field <> 'owner_id' and {{ is_newly_built() }}
    union all
    select
        deal_number,
        valid_from,
        handover_number as moment_number,
        null as status,
        null as pipeline,
        coalesce(owner_id, '') as owner_id,
        null as old_amount,
        null as old_date
    from {{ ref('int_deal_owners_versioned') }}
    where {{ is_newly_built() }}
),

steps as (
    select
        deal_number,
        valid_from,
        lead(valid_from) over timeline as valid_to,
        last(status ignore nulls) over so_far as status,
        last(pipeline ignore nulls) over so_far as pipeline,
        last(owner_id ignore nulls) over so_far as owner_id,
        first(old_amount ignore nulls) over ahead as next_old_amount,
        first(old_date ignore nulls) over ahead as next_old_date,
        count(old_amount) over whole as amount_changes,
        count(old_date) over whole as date_changes
    from moments
    window
        timeline as (partition by deal_number order by valid_from, moment_number),
        so_far as (
            partition by deal_number order by valid_from, moment_number
            rows between unbounded preceding and current row
        ),
        ahead as (
            partition by deal_number order by valid_from, moment_number
            rows between 1 following and unbounded following
        ),
        whole as (partition by deal_number)
)

select
    steps.deal_number,
    case when steps.valid_to is null then deals.status else steps.status end as status,
    case when steps.valid_to is null then deals.pipeline else coalesce(steps.pipeline, deals.pipeline) end as pipeline,
    deals.segment,
    deals.currency,
    case when steps.owner_id is null then deals.owner_id else nullif(steps.owner_id, '') end as owner_id,
    case when steps.next_old_amount is null then deals.amount else try_cast(steps.next_old_amount as decimal(18, 2)) end
        as amount,
    case when steps.next_old_date is null then deals.expected_close_date else try_cast(steps.next_old_date as date) end
        as expected_close_date,
    steps.amount_changes > 0 as has_amount_log,
    steps.date_changes > 0 as has_close_date_log,
    steps.owner_id is not null as has_owner_log,
    steps.valid_from,
    steps.valid_to,
    deals._load_id
from steps
inner join deals on steps.deal_number = deals.deal_number
where
    -- what holds at a moment is what all its changes together left
    steps.valid_to is distinct from steps.valid_from
    -- changes from before the deal have no status yet
    and steps.status is not null
