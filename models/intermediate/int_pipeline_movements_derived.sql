{{ config(materialized='incremental', incremental_strategy='by_deal') }}

-- Every step of an open deal's value, and every turn of a quarter that it sees, as moves between places. A place
-- is a pipeline, an owner and a horizon: where the expected close date lies, seen from the quarter of the moment.
-- When one moment changes several things, they follow each other: first the amount, where the deal stands; then
-- the hand-over; then the close date. A deal ends where it stood, with the amount it ends with.
-- The turns of the quarter that lie ahead are here too: as long as nothing changes, they will come, and a deal
-- that nobody touches needs no rebuilding for it. The mart takes those up to as_of.
with versions as (
    select * from {{ ref('int_deal_values_versioned') }}
    where {{ is_newly_built() }}
),

compared as (
    select
        *,
        lag(status) over timeline as old_status,
        lag(pipeline) over timeline as old_pipeline,
        lag(owner_id) over timeline as old_owner_id,
        lag(amount) over timeline as old_amount,
        lag(expected_close_date) over timeline as old_close_date
    from versions
    window timeline as (partition by deal_id order by valid_from)
),

quarters as (
    select
        *,
        {{ dbt.date_trunc('quarter', 'valid_from') }} as this_quarter,
        {{ dbt.date_trunc('quarter', 'expected_close_date') }} as close_quarter,
        {{ dbt.date_trunc('quarter', 'old_close_date') }} as old_close_quarter
    from compared
    where status = 'open' or old_status = 'open'
),

steps as (
    select
        *,
        {{ close_horizon('close_quarter', 'this_quarter') }} as horizon,
        {{ close_horizon('old_close_quarter', 'this_quarter') }} as old_horizon
    from quarters
),

turns as (
    select
        *,
        cast(close_quarter as {{ dbt.type_timestamp() }}) as turned_at,
        'later' as from_horizon,
        'this_quarter' as to_horizon
    from steps
    where status = 'open'
    union all
    select
        *,
        cast({{ dbt.dateadd('month', 3, 'close_quarter') }} as {{ dbt.type_timestamp() }}) as turned_at,
        'this_quarter' as from_horizon,
        'overdue' as to_horizon
    from steps
    where status = 'open'
),

movements as (
    select
        deal_id,
        segment,
        coalesce(currency, 'unknown') as currency,
        case when old_status is null then 'created' else 'reopened' end as kind,
        null as from_pipeline,
        pipeline as to_pipeline,
        null as from_owner_id,
        owner_id as to_owner_id,
        null as from_horizon,
        horizon as to_horizon,
        null as old_amount,
        amount,
        valid_from as moved_at,
        _load_id
    from steps
    where
        status = 'open'
        and coalesce(old_status, '') <> 'open'

    union all

    select
        deal_id,
        segment,
        coalesce(currency, 'unknown') as currency,
        case when coalesce(amount, 0) < coalesce(old_amount, 0) then 'decreased' else 'increased' end as kind,
        old_pipeline as from_pipeline,
        old_pipeline as to_pipeline,
        old_owner_id as from_owner_id,
        old_owner_id as to_owner_id,
        old_horizon as from_horizon,
        old_horizon as to_horizon,
        old_amount,
        amount,
        valid_from as moved_at,
        _load_id
    from steps
    where
        old_status = 'open'
        and amount is distinct from old_amount

    union all

    select
        deal_id,
        segment,
        coalesce(currency, 'unknown') as currency,
        'transferred' as kind,
        old_pipeline as from_pipeline,
        pipeline as to_pipeline,
        old_owner_id as from_owner_id,
        owner_id as to_owner_id,
        old_horizon as from_horizon,
        old_horizon as to_horizon,
        amount as old_amount,
        amount,
        valid_from as moved_at,
        _load_id
    from steps
    where
        old_status = 'open'
        and status = 'open'
        and (owner_id is distinct from old_owner_id or pipeline <> old_pipeline)

    union all

    select
        deal_id,
        segment,
        coalesce(currency, 'unknown') as currency,
        'redated' as kind,
        pipeline as from_pipeline,
        pipeline as to_pipeline,
        owner_id as from_owner_id,
        owner_id as to_owner_id,
        old_horizon as from_horizon,
        horizon as to_horizon,
        amount as old_amount,
        amount,
        valid_from as moved_at,
        _load_id
    from steps
    where
        old_status = 'open'
        and status = 'open'
        and horizon <> old_horizon

    union all

    select
        deal_id,
        segment,
        coalesce(currency, 'unknown') as currency,
        status as kind,
        old_pipeline as from_pipeline,
        null as to_pipeline,
        old_owner_id as from_owner_id,
        null as to_owner_id,
        old_horizon as from_horizon,
        null as to_horizon,
        amount as old_amount,
        null as amount,
        valid_from as moved_at,
        _load_id
    from steps
    where
        old_status = 'open'
        and status <> 'open'

    union all

    select
        deal_id,
        segment,
        coalesce(currency, 'unknown') as currency,
        'rolled' as kind,
        pipeline as from_pipeline,
        pipeline as to_pipeline,
        owner_id as from_owner_id,
        owner_id as to_owner_id,
        from_horizon,
        to_horizon,
        amount as old_amount,
        amount,
        turned_at as moved_at,
        _load_id
    from turns
    where
        turned_at > valid_from
        and turned_at <= coalesce(valid_to, turned_at)
)

select
    deal_id,
    kind,
    segment,
    currency,
    from_pipeline,
    from_owner_id,
    from_horizon,
    to_pipeline,
    to_owner_id,
    to_horizon,
    old_amount,
    amount,
    moved_at,
    _load_id
from movements
