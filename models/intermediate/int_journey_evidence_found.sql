{{ config(materialized='incremental', incremental_strategy='by_deal', by='deal_number') }}

-- The first proof of each step, of those that count whenever they happened, and the CRM's own task for it: the one
-- completed first, else the one created first. What that task does not say no other may say for it.
{% set far = "cast('9999-12-31' as " ~ dbt.type_timestamp() ~ ')' %}
with found as (
    select
        deal_id,
        evidence,
        min(case when may_precede then proven_at end) as first_proven_at,
        {{ first_proven_by('kind', 'case when may_precede then proven_at end') }} as first_proven_by,
        min(case when is_undated then kind end) as undated_by,
        {{ null_by('min_by', 'owner_id', 'task_order', "''") }} as task_owner_id,
        {{ null_by('min_by', 'task_due_at', 'task_order', far) }} as task_due_at,
        {{ null_by('min_by', 'task_original_due_at', 'task_order', far) }} as task_original_due_at
    from {{ ref('int_journey_evidence_listed') }}
    where
        (may_precede or kind = 'task')
        and {{ is_touched('deal_id') }}
    group by deal_id, evidence
)

select
    numbers.deal_number,
    found.evidence,
    found.first_proven_at,
    found.first_proven_by,
    found.undated_by,
    found.task_owner_id,
    found.task_due_at,
    found.task_original_due_at,
    (select newest_load_id from {{ ref('stg_as_of') }}) as _load_id
from found
inner join {{ ref('int_deals_numbered') }} as numbers on found.deal_id = numbers.deal_id
