-- Who had a deal when; only deals that changed hands. A broken chain is read as the log has it: each change says who
-- has the deal from then on.
with handovers as (
    select
        numbers.deal_number,
        changes.change_number,
        changes.old_owner_id,
        changes.new_owner_id,
        changes.changed_at
    from {{ ref('int_deal_changes_parsed') }} as changes
    inner join {{ ref('int_deals_numbered') }} as numbers on changes.deal_id = numbers.deal_id
    where changes.field = 'owner_id'
)

select
    deal_number,
    0 as handover_number,
    old_owner_id as owner_id,
    cast('0001-01-01' as {{ dbt.type_timestamp() }}) as valid_from,
    changed_at as valid_to
from handovers
where change_number = 1
union all
select
    deal_number,
    change_number as handover_number,
    new_owner_id as owner_id,
    changed_at as valid_from,
    coalesce(
        lead(changed_at) over (partition by deal_number order by change_number),
        cast('9999-12-31' as {{ dbt.type_timestamp() }})
    ) as valid_to
from handovers
