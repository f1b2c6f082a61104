-- What was entered in the CRM, and how: each act and each completed task of the year up to as_of, with the marks that
-- make one look twice. An act counts by the owner who entered it, at the moment at which it was entered.
with entries as (
    select
        'acts' as record,
        contacts.activity_id as record_id,
        coalesce(contacts.owner_id, deals.owner_id) as owner_id,
        contacts.known_at as entered_at,
        contacts.occurred_at as happened_at,
        false as is_after_due
    from {{ ref('int_indicator_contacts') }} as contacts
    inner join {{ ref('dim_deals') }} as deals on contacts.deal_id = deals.deal_id
    where contacts.is_touch
    union all
    select
        'tasks' as record,
        tasks.task_id as record_id,
        coalesce(tasks.owner_id, deals.owner_id) as owner_id,
        tasks.completed_at as entered_at,
        tasks.completed_at as happened_at,
        tasks.created_at > tasks.completed_at or tasks.created_at > tasks.original_due_at as is_after_due
    from {{ ref('crm_tasks') }} as tasks
    inner join {{ ref('dim_deals') }} as deals on tasks.deal_id = deals.deal_id
    where tasks.completed_at is not null
),

recent as (
    select entries.*
    from entries
    cross join {{ ref('stg_as_of') }} as as_of
    where
        entries.entered_at <= as_of.as_of
        and entries.entered_at > {{ dbt.dateadd('day', -392, 'as_of.as_of') }}
        and entries.owner_id is not null
)

-- in one go: eight of an owner's records within ten minutes of this one, itself the first of them, the second and so on;
-- eight neighbours are looked up faster than a range is counted
select
    record,
    record_id,
    owner_id,
    entered_at,
    happened_at < {{ dbt.dateadd('day', -3, 'entered_at') }} or is_after_due as is_back_dated,
    coalesce(
        {% for before in range(8) %}
            (
                lag(entered_at, {{ before }}) over by_owner >= {{ dbt.dateadd('minute', -10, 'entered_at') }}
                and lead(entered_at, {{ 7 - before }}) over by_owner <= {{ dbt.dateadd('minute', 10, 'entered_at') }}
            )
            {{ 'or' if not loop.last }}
        {% endfor %},
        false
    ) as is_in_one_go
from recent
window by_owner as (partition by record, owner_id order by entered_at)
