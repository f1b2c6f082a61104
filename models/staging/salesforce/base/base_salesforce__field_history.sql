-- The history of tracked fields in one form. Loaders split values by type, name fields their own way, and Salesforce
-- logs a change of the owner twice, once by name: the row with names is left out. Where OpportunityHistory tells of an
-- opportunity, its stage, amount and close date are left out too: that one is complete, this one is cut after 18 months.
with source as (
    {{ current_versions(source('salesforce', 'opportunity_field_history')) }}
),

changes as (
    select
        opportunity_id,
        created_by_id,
        created_date as changed_at,
        lower(replace(field, '_', '')) as field,
        coalesce(old_value, old_value_text, old_value_number) as old_value,
        coalesce(new_value, new_value_text, new_value_number) as new_value
    from source
)

select changes.*
from changes
where
    case changes.field
        when 'owner'
            then
                coalesce(changes.new_value, changes.old_value) like '005%'
                or coalesce(changes.new_value, changes.old_value) in (
                    select id from {{ source('salesforce', 'user') }}
                )
        when 'ownerid' then true
        when 'leadsource' then true
        when 'accountid' then true
        else
            changes.field in ('stagename', 'amount', 'closedate')
            and changes.opportunity_id not in (
                select opportunity_id from {{ source('salesforce', 'opportunity_history') }}
            )
    end
