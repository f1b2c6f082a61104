{{ config(materialized='incremental', incremental_strategy='by_deal') }}

with changes as (
    select
        *,
        {{ dbt.datediff('old_date', 'new_date', 'day') }} as days_moved
    from {{ ref('int_deal_changes_parsed') }}
    where {{ is_newly_built() }}
),

directed as (
    select
        *,
        case
            when old_value is null then 'set'
            when new_value is null then 'cleared'
            when field = 'owner_id' then 'handed_over'
            when new_amount > old_amount then 'increased'
            when new_amount < old_amount then 'decreased'
            when days_moved > 0 then 'pushed'
            when days_moved < 0 then 'pulled_in'
        end as direction
    from changes
),

counted as (
    select
        *,
        sum(case when direction = 'pushed' then 1 else 0 end) over so_far as push_number,
        sum(case when direction = 'pushed' then days_moved else 0 end) over so_far as days_pushed
    from directed
    window so_far as (partition by deal_id, _load_id, field order by change_number)
),

stays as (
    select
        deal_id,
        stage_id,
        entered_at,
        -- a comparison without 'or': joined by hash, not by trying every pair
        coalesce(exited_at, cast('9999-12-31' as {{ dbt.type_timestamp() }})) as exited_at
    from {{ ref('fct_stage_visits') }}
    where {{ is_newly_built() }}
),

-- what a change met: the version that it ended
versions as (
    select
        deal_id,
        status,
        valid_to
    from {{ ref('int_deal_values_versioned') }}
    where {{ is_newly_built() }} and valid_to is not null
)

select
    counted.deal_id || '#' || counted.field || '#' || cast(counted.change_number as {{ dbt.type_string() }})
        as deal_change_id,
    counted.deal_id,
    stays.stage_id,
    counted.changed_by_id,
    counted.field,
    cast(counted.change_number as integer) as change_number,
    counted.direction,
    counted.old_value,
    counted.new_value,
    counted.old_owner_id,
    counted.new_owner_id,
    counted.old_amount,
    counted.new_amount,
    cast(counted.new_amount - counted.old_amount as decimal(18, 2)) as amount_change,
    counted.old_date,
    counted.new_date,
    cast(counted.days_moved as integer) as days_moved,
    case when counted.field = 'expected_close_date' then cast(counted.push_number as integer) end as push_number,
    case when counted.field = 'expected_close_date' then cast(counted.days_pushed as integer) end as days_pushed,
    counted.is_unreadable,
    counted.is_chain_broken,
    counted.is_bulk_edit,
    cast(counted.changed_at as date) = cast({{ dbt.last_day('counted.changed_at', 'month') }} as date)
        as is_month_end_edit,
    case when counted.field = 'expected_close_date' then coalesce(counted.new_date < cast(counted.changed_at as date), false) end
        as is_back_dated,
    coalesce(versions.status <> 'open', false) as is_after_closing,
    counted.changed_at,
    counted._load_id
from counted
left join stays
    on
        counted.deal_id = stays.deal_id
        and counted.changed_at >= stays.entered_at
        and counted.changed_at < stays.exited_at
left join versions on counted.deal_id = versions.deal_id and counted.changed_at = versions.valid_to
