{{ config(materialized='incremental', incremental_strategy='by_deal', by='deal_number', sparse=true) }}

-- Who had a deal when, the one truth about it; only deals that changed hands. As with every field, the CRM of today
-- has the last word and each change's old value holds until it: so a hand-over that was never logged shows at the next
-- one that was, or else at the last. A table, so that the planner knows how small it is beside the stays it is joined to.
with handovers as (
    select
        deal_number,
        change_number,
        old_owner_id,
        changed_at,
        lead(change_number) over log_of_deal as next_change_number,
        lead(old_owner_id) over log_of_deal as next_old_owner_id,
        lead(changed_at) over log_of_deal as next_changed_at
    from {{ ref('int_deal_changes_parsed') }}
    where field = 'owner_id' and {{ is_newly_built() }}
    window log_of_deal as (partition by deal_number order by change_number)
)

select
    deal_number,
    0 as handover_number,
    old_owner_id as owner_id,
    cast('0001-01-01' as {{ dbt.type_timestamp() }}) as valid_from,
    changed_at as valid_to,
    (select newest_load_id from {{ ref('stg_as_of') }}) as _load_id
from handovers
where change_number = 1
union all
select
    handovers.deal_number,
    handovers.change_number as handover_number,
    case when handovers.next_change_number is null then deals.owner_id else handovers.next_old_owner_id end as owner_id,
    handovers.changed_at as valid_from,
    coalesce(handovers.next_changed_at, cast('9999-12-31' as {{ dbt.type_timestamp() }})) as valid_to,
    (select newest_load_id from {{ ref('stg_as_of') }}) as _load_id
from handovers
inner join {{ ref('dim_deals') }} as deals on handovers.deal_number = deals._deal_number
