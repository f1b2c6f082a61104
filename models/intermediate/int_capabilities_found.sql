{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key=['crm', 'capability']) }}

-- What a CRM gives at all, and since when it logs a field of the card. A row that is new or changed carries the load
-- that brought it, and touches all deals of its CRM. What was found once stays, so a night asks only for the rest.
{% set facts = {
    'stage_history': ('crm_stage_changes', 'true'),
    'task': ('crm_tasks', 'is_completed is not null'),
    'task_completion': ('crm_tasks', 'completed_at is not null'),
    'original_deadline': ('crm_tasks', 'original_due_at is not null'),
    'activity': ('crm_activities', 'true'),
    'two_way_mail': ('crm_activities', "activity_type = 'email' and direction = 'in'"),
    'contact': ('crm_deal_contacts', 'true'),
    'decision_maker': ('crm_deal_contacts', 'is_decision_maker is not null'),
    'revenue_event': ('crm_revenue_events', 'true'),
} %}
with found as (
    {% for capability, (relation, condition) in facts.items() %}
        select distinct
            crm,
            '{{ capability }}' as capability,
            cast(null as {{ dbt.type_timestamp() }}) as began_at
        from {{ ref(relation) }}
        where crm not in ({{ crms_that_give(capability) }}) and {{ condition }}
        union all
    {% endfor %}
    select
        crm,
        field || '_log' as capability,
        min(changed_at) as began_at
    from {{ ref('crm_field_changes') }}
    where field in ('{{ card_columns() | join("', '") }}')
    group by crm, field
)

select
    found.crm,
    found.capability,
    found.began_at,
    as_of.newest_load_id as _load_id
from found
cross join {{ ref('stg_as_of') }} as as_of
{% if is_incremental() %}
    left join {{ this }} as known on found.crm = known.crm and found.capability = known.capability
    where known.crm is null or found.began_at is distinct from known.began_at
{% endif %}
