{{ config(materialized='incremental', incremental_strategy='by_deal', by='deal_number') }}

-- The CRM's log, and where it has none what two nights differ in. It logs values as text, and also a re-save that changes nothing; re-saves are dropped. A value that cannot
-- be read stays as text with no number. The log is put in order, but a break in its chain (a change that starts
-- from another value than the one before it left) is marked, not mended.
-- Whether an edit was one of many, other deals tell: their edits are looked up for the minutes of these alone.
with logged as (
    select
        numbers.deal_number,
        changes.crm,
        changes.field,
        nullif(trim(changes.old_value), '') as old_text,
        nullif(trim(changes.new_value), '') as new_text,
        changes.is_bulk_edit,
        cast(null as {{ dbt.type_timestamp() }}) as changed_after,
        changes.changed_at,
        changes.changed_by_id
    from {{ ref('crm_field_changes') }} as changes
    inner join {{ ref('crm_deals') }} as deals on changes.deal_id = deals.deal_id
    inner join {{ ref('int_deals_numbered') }} as numbers on changes.deal_id = numbers.deal_id
    where
        changes.field in ('amount', 'expected_close_date', 'owner_id')
        and not deals.is_deleted
        and {{ is_touched('changes.deal_id') }}
    union all
    select
        deal_number,
        crm,
        field,
        old_value as old_text,
        new_value as new_text,
        cast(null as boolean) as is_bulk_edit,
        previous_seen_at as changed_after,
        seen_at as changed_at,
        cast(null as {{ dbt.type_string() }}) as changed_by_id
    from {{ ref('int_deal_changes_observed') }}
    where {{ is_newly_built() }}
),

typed as (
    select
        *,
        case when field = 'amount' then try_cast(old_text as decimal(18, 2)) end as old_amount,
        case when field = 'amount' then try_cast(new_text as decimal(18, 2)) end as new_amount,
        case when field = 'expected_close_date' then try_cast(old_text as date) end as old_date,
        case when field = 'expected_close_date' then try_cast(new_text as date) end as new_date
    from logged
    where old_text is distinct from new_text
),

changed as (
    select
        *,
        row_number() over log_of_field as change_number,
        sum(case when new_date > old_date then 1 else 0 end) over so_far as push_number,
        sum(case when new_date > old_date then {{ dbt.datediff('old_date', 'new_date', 'day') }} else 0 end) over so_far
            as days_pushed,
        lag(new_text) over log_of_field as previous_text,
        lag(new_amount) over log_of_field as previous_amount,
        lag(new_date) over log_of_field as previous_date
    from typed
    where
        -- 100 and 100.00 are one amount
        not coalesce(old_amount = new_amount, false)
        and not coalesce(old_date = new_date, false)
    window
        log_of_field as (partition by deal_number, field order by changed_at, old_text, new_text),
        so_far as (
            partition by deal_number, field order by changed_at, old_text, new_text
            rows between unbounded preceding and current row
        )
),

-- the few minutes in which one user was that busy, before deals are counted
busy_minutes as (
    select
        changed_by_id,
        field,
        {{ dbt.date_trunc('minute', 'changed_at') }} as changed_in_minute
    from {{ ref('crm_field_changes') }}
    {% if is_incremental() %}
        where
            {{ dbt.date_trunc('minute', 'changed_at') }}
            in (select {{ dbt.date_trunc('minute', 'logged.changed_at') }} from logged)
    {% endif %}
    group by changed_by_id, field, {{ dbt.date_trunc('minute', 'changed_at') }}
    having count(*) >= {{ var('bulk_edit_deals') }}
),

mass_edits as (
    select
        busy_minutes.changed_by_id,
        busy_minutes.field,
        busy_minutes.changed_in_minute
    from busy_minutes
    inner join {{ ref('crm_field_changes') }} as edits
        on
            busy_minutes.changed_by_id = edits.changed_by_id
            and busy_minutes.field = edits.field
            and busy_minutes.changed_in_minute = {{ dbt.date_trunc('minute', 'edits.changed_at') }}
    group by busy_minutes.changed_by_id, busy_minutes.field, busy_minutes.changed_in_minute
    having count(distinct edits.deal_id) >= {{ var('bulk_edit_deals') }}
)

select
    changed.deal_number,
    changed.field,
    changed.change_number,
    changed.old_text as old_value,
    changed.new_text as new_value,
    changed.old_amount,
    changed.new_amount,
    changed.old_date,
    changed.new_date,
    case when changed.field = 'owner_id' then changed.crm || ':' || changed.old_text end as old_owner_id,
    case when changed.field = 'owner_id' then changed.crm || ':' || changed.new_text end as new_owner_id,
    changed.push_number,
    changed.days_pushed,
    changed.field <> 'owner_id' and (
        (changed.old_text is not null and changed.old_amount is null and changed.old_date is null)
        or (changed.new_text is not null and changed.new_amount is null and changed.new_date is null)
    ) as is_unreadable,
    (
        changed.change_number > 1
        and changed.old_text is distinct from changed.previous_text
        and not coalesce(changed.old_amount = changed.previous_amount, false)
        and not coalesce(changed.old_date = changed.previous_date, false)
    ) as is_chain_broken,
    -- the CRM's own word comes first; without a user nobody can say
    coalesce(
        changed.is_bulk_edit, case when changed.changed_by_id is not null then mass_edits.field is not null end
    ) as is_bulk_edit,
    changed.changed_after,
    changed.changed_at,
    changed.changed_by_id,
    (select newest_load_id from {{ ref('stg_as_of') }}) as _load_id
from changed
left join mass_edits
    on
        changed.changed_by_id = mass_edits.changed_by_id
        and changed.field = mass_edits.field
        and {{ dbt.date_trunc('minute', 'changed.changed_at') }} = mass_edits.changed_in_minute
