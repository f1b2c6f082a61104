{{ config(materialized='incremental', incremental_strategy='by_deal') }}

with changes as (
    select
        numbers.deal_id,
        parsed.*,
        {{ dbt.datediff('parsed.old_date', 'parsed.new_date', 'day') }} as days_moved
    from {{ ref('int_deal_changes_parsed') }} as parsed
    inner join {{ ref('int_deals_numbered') }} as numbers on parsed.deal_number = numbers.deal_number
    where {{ is_newly_built('parsed._load_id') }}
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

stays as (
    select
        _deal_number,
        stage_id,
        entered_at,
        -- a comparison without 'or': joined by hash, not by trying every pair
        coalesce(exited_at, cast('9999-12-31' as {{ dbt.type_timestamp() }})) as exited_at
    from {{ ref('fct_stage_visits') }}
    where {{ is_newly_built() }}
),

-- a change after the end ended a version that was won or lost
ended as (
    select
        deal_number,
        valid_to
    from {{ ref('int_deal_values_versioned') }}
    where {{ is_newly_built() }} and status <> 'open' and valid_to is not null
)

select
    directed.deal_id || '#' || directed.field || '#' || cast(directed.change_number as {{ dbt.type_string() }})
        as deal_change_id,
    directed.deal_id,
    stays.stage_id,
    directed.changed_by_id,
    directed.field,
    cast(directed.change_number as integer) as change_number,
    directed.direction,
    directed.old_value,
    directed.new_value,
    directed.old_owner_id,
    directed.new_owner_id,
    directed.old_amount,
    directed.new_amount,
    cast(directed.new_amount - directed.old_amount as decimal(18, 2)) as amount_change,
    directed.old_date,
    directed.new_date,
    cast(directed.days_moved as integer) as days_moved,
    case when directed.field = 'expected_close_date' then cast(directed.push_number as integer) end as push_number,
    case when directed.field = 'expected_close_date' then cast(directed.days_pushed as integer) end as days_pushed,
    directed.is_unreadable,
    directed.is_chain_broken,
    directed.is_bulk_edit,
    case when directed.changed_after is null then
        cast(directed.changed_at as date) = cast({{ dbt.last_day('directed.changed_at', 'month') }} as date)
    end as is_month_end_edit,
    case when directed.field = 'expected_close_date' then
        coalesce(directed.new_date < cast(coalesce(directed.changed_after, directed.changed_at) as date), false)
    end as is_back_dated,
    ended.deal_number is not null as is_after_closing,
    directed.changed_after is null as is_changed_at_exact,
    directed.changed_after,
    directed.changed_at,
    directed._load_id
from directed
left join stays
    on
        directed.deal_number = stays._deal_number
        and directed.changed_at >= stays.entered_at
        and directed.changed_at < stays.exited_at
left join ended on directed.deal_number = ended.deal_number and directed.changed_at = ended.valid_to
