{{ config(materialized='incremental', incremental_strategy='by_deal') }}

-- A deal's value as a step function. What the CRM shows now is the truth at the end; going back, each change's
-- old value is what held until it. Before the first logged change its old value held; a field without any logged
-- change has today's value since the creation: the best that is known, and marked by has_..._log = false.
-- An empty old value is a value too, so it is carried as '' to where it held.
with deals as (
    select * from {{ ref('dim_deals') }}
    where {{ is_newly_built() }}
),

statuses as (
    select * from {{ ref('int_deal_statuses_derived') }}
    where {{ is_newly_built() }}
),

changes as (
    select
        *,
        coalesce(trim(old_value), '') as old_text
    from {{ ref('crm_field_changes') }}
    where
        field in ('amount', 'expected_close_date', 'owner_id')
        and old_value is distinct from new_value
        and {{ is_touched('deal_id') }}
),

moments as (
    select
        deal_id,
        started_at as valid_from,
        status_number,
        status,
        pipeline,
        null as old_amount,
        null as old_date,
        null as old_owner,
        null as old_text
    from statuses
    union all
    select
        deal_id,
        changed_at as valid_from,
        null as status_number,
        null as status,
        null as pipeline,
        case when field = 'amount' then old_text end as old_amount,
        case when field = 'expected_close_date' then old_text end as old_date,
        case when field = 'owner_id' then crm || ':' || old_text end as old_owner,
        old_text
    from changes
),

steps as (
    select
        deal_id,
        valid_from,
        lead(valid_from) over timeline as valid_to,
        last(status ignore nulls) over so_far as status,
        last(pipeline ignore nulls) over so_far as pipeline,
        first(old_amount ignore nulls) over ahead as next_old_amount,
        first(old_date ignore nulls) over ahead as next_old_date,
        first(old_owner ignore nulls) over ahead as next_old_owner,
        count(old_amount) over whole as amount_changes,
        count(old_date) over whole as date_changes,
        count(old_owner) over whole as owner_changes
    from moments
    window
        timeline as (partition by deal_id order by valid_from, status_number, old_text),
        so_far as (timeline rows between unbounded preceding and current row),
        ahead as (timeline rows between 1 following and unbounded following),
        whole as (timeline rows between unbounded preceding and unbounded following)
)

select
    steps.deal_id,
    case when steps.valid_to is null then deals.status else steps.status end as status,
    case when steps.valid_to is null then deals.pipeline else coalesce(steps.pipeline, deals.pipeline) end as pipeline,
    deals.segment,
    deals.currency,
    case
        when steps.next_old_owner is null then deals.owner_id
        -- the owner was empty
        when steps.next_old_owner <> deals.crm || ':' then steps.next_old_owner
    end as owner_id,
    case when steps.next_old_amount is null then deals.amount else try_cast(steps.next_old_amount as decimal(18, 2)) end
        as amount,
    case when steps.next_old_date is null then deals.expected_close_date else try_cast(steps.next_old_date as date) end
        as expected_close_date,
    steps.amount_changes > 0 as has_amount_log,
    steps.date_changes > 0 as has_close_date_log,
    steps.owner_changes > 0 as has_owner_log,
    steps.valid_from,
    steps.valid_to,
    deals._load_id
from steps
inner join deals on steps.deal_id = deals.deal_id
where
    -- what holds at a moment is what all its changes together left
    steps.valid_to is distinct from steps.valid_from
    -- changes from before the deal have no status yet
    and steps.status is not null
