{{ config(materialized='incremental', incremental_strategy='by_deal', by='deal_number') }}

-- Every step of an open deal's value, and every turn of a quarter that it sees, as moves between places. A place
-- is a pipeline, an owner and a horizon: where the expected close date lies, seen from the quarter of the moment.
-- When one moment changes several things, they follow each other: first the amount, where the deal stands; then
-- the hand-over; then the close date. A deal ends where it stood, with the amount it ends with.
-- The turns of the quarter that lie ahead are here too: as long as nothing changes, they will come, and a deal
-- that nobody touches needs no rebuilding for it. The mart takes those up to as_of.
with versions as (
    select
        *,
        cast({{ dbt.date_trunc('quarter', 'expected_close_date') }} as {{ dbt.type_timestamp() }}) as close_quarter
    from {{ ref('int_deal_values_versioned') }}
    where {{ is_newly_built() }}
),

compared as (
    select
        *,
        cast({{ dbt.date_trunc('quarter', 'valid_from') }} as {{ dbt.type_timestamp() }}) as this_quarter,
        lag(status) over timeline as old_status,
        lag(pipeline) over timeline as old_pipeline,
        lag(owner_id) over timeline as old_owner_id,
        lag(amount) over timeline as old_amount,
        lag(close_quarter) over timeline as old_close_quarter
    from versions
    window timeline as (partition by deal_number order by valid_from)
),

steps as (
    select
        *,
        {{ close_horizon('close_quarter', 'this_quarter') }} as horizon,
        {{ close_horizon('old_close_quarter', 'this_quarter') }} as old_horizon,
        cast({{ dbt.dateadd('month', 3, 'close_quarter') }} as {{ dbt.type_timestamp() }}) as close_quarter_ends_at,
        status = 'open' as is_open,
        coalesce(old_status = 'open', false) as was_open
    from compared
    where status = 'open' or old_status = 'open'
),

moves as (
    {% for move, condition in {
        'entered': 'is_open and not was_open',
        'revalued': 'was_open and amount is distinct from old_amount',
        'transferred': 'is_open and was_open and (owner_id is distinct from old_owner_id or pipeline <> old_pipeline)',
        'redated': 'is_open and was_open and horizon <> old_horizon',
        'ended': 'was_open and not is_open',
        'begun': 'is_open and close_quarter > valid_from and close_quarter <= coalesce(valid_to, close_quarter)',
        'over': 'is_open and close_quarter_ends_at > valid_from
            and close_quarter_ends_at <= coalesce(valid_to, close_quarter_ends_at)',
    }.items() %}
        select
            *,
            '{{ move }}' as move
        from steps
        where {{ condition }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    deal_number,
    case move
        when 'entered' then case when old_status is null then 'created' else 'reopened' end
        when 'revalued' then case when coalesce(amount, 0) < coalesce(old_amount, 0) then 'decreased' else 'increased' end
        when 'ended' then status
        when 'begun' then 'rolled'
        when 'over' then 'rolled'
        else move
    end as kind,
    segment,
    coalesce(currency, 'unknown') as currency,
    case
        when move in ('revalued', 'transferred', 'ended') then old_pipeline
        when move in ('redated', 'begun', 'over') then pipeline
    end as from_pipeline,
    case
        when move in ('revalued', 'transferred', 'ended') then old_owner_id
        when move in ('redated', 'begun', 'over') then owner_id
    end as from_owner_id,
    case
        when move = 'begun' then 'later'
        when move = 'over' then 'this_quarter'
        when move <> 'entered' then old_horizon
    end as from_horizon,
    case
        when move = 'revalued' then old_pipeline
        when move <> 'ended' then pipeline
    end as to_pipeline,
    case
        when move = 'revalued' then old_owner_id
        when move <> 'ended' then owner_id
    end as to_owner_id,
    case
        when move in ('revalued', 'transferred') then old_horizon
        when move in ('entered', 'redated') then horizon
        when move = 'begun' then 'this_quarter'
        when move = 'over' then 'earlier_quarter'
    end as to_horizon,
    case
        when move = 'revalued' then old_amount
        when move <> 'entered' then amount
    end as old_amount,
    case when move <> 'ended' then amount end as amount,
    case move when 'begun' then close_quarter when 'over' then close_quarter_ends_at else valid_from end as moved_at,
    _load_id
from moves
