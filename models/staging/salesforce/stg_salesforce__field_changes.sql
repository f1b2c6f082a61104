-- Amount and close date from OpportunityHistory, all else from the history of tracked fields. The first state of an
-- opportunity is its creation, not a change.
{% set fields = {
    'amount': 'amount', 'closedate': 'expected_close_date', 'owner': 'owner_id', 'ownerid': 'owner_id',
    'accountid': 'account_id', 'leadsource': 'channel'
} %}
with changes as (
    select
        opportunity_id,
        created_by_id,
        changed_at,
        'amount' as field,
        cast(previous_amount as {{ dbt.type_string() }}) as old_value,
        cast(amount as {{ dbt.type_string() }}) as new_value
    from {{ ref('base_salesforce__states') }}
    where state_number > 1 and amount is distinct from previous_amount
    union all
    select
        opportunity_id,
        created_by_id,
        changed_at,
        'closedate' as field,
        cast(previous_expected_close_date as {{ dbt.type_string() }}) as old_value,
        cast(expected_close_date as {{ dbt.type_string() }}) as new_value
    from {{ ref('base_salesforce__states') }}
    where state_number > 1 and expected_close_date <> previous_expected_close_date
    union all
    select
        opportunity_id,
        created_by_id,
        changed_at,
        field,
        case
            when field = 'closedate' then coalesce(cast(try_cast(old_value as date) as {{ dbt.type_string() }}), old_value)
            else old_value
        end as old_value,
        case
            when field = 'closedate' then coalesce(cast(try_cast(new_value as date) as {{ dbt.type_string() }}), new_value)
            else new_value
        end as new_value
    from {{ ref('base_salesforce__field_history') }}
    where field <> 'stagename'
)

select
    -- ids
    'salesforce:' || opportunity_id as deal_id,
    'salesforce:' || created_by_id as changed_by_id,

    -- attributes
    'salesforce' as crm,
    case field
        {% for name, field in fields.items() %}
            when '{{ name }}' then '{{ field }}'
        {% endfor %}
    end as field,
    old_value,
    new_value,

    -- booleans
    cast(null as boolean) as is_bulk_edit, -- Salesforce has no word on it

    -- timestamps, UTC
    changed_at
from changes
