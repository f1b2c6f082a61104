-- Everything that happened and proves a step, one row per fact and evidence. A task counts when it is completed,
-- never when it is merely due; one still open is listed for its deadline, and proves nothing. What is done at a
-- time nobody wrote down is is_undated. known_at is when the CRM was told, which may be later than it happened.
with evidence as (
    select * from {{ ref('int_journey_evidence_measured') }}
),

stages as (
    select * from {{ ref('int_stages_completed') }}
),

reached as (
    select
        stages.stage_id,
        evidence.evidence,
        evidence.kind,
        evidence.may_precede
    from evidence
    inner join stages on evidence.crm = stages.crm
    left join stages as named
        on
            evidence.kind = 'stage_reached'
            and evidence.name = named.stage
            and stages.crm = named.crm
            and stages.pipeline = named.pipeline
    where
        (evidence.kind = 'won' and stages.is_won)
        or (evidence.kind = 'stage_reached' and not stages.is_lost and stages.position >= named.position)
)

select
    tasks.deal_id,
    evidence.evidence,
    evidence.kind,
    evidence.may_precede,
    case when tasks.is_completed then tasks.completed_at end as proven_at,
    case when tasks.is_completed then tasks.completed_at end as known_at,
    tasks.is_completed and tasks.completed_at is null as is_undated,
    tasks.owner_id,
    -- of several tasks, the one completed first, and the open ones after all completed ones; as text, so that the id
    -- decides between two of one moment
    cast(
        coalesce(
            case when tasks.is_completed then tasks.completed_at end,
            {{ dbt.dateadd('year', 1000, 'tasks.created_at') }}
        ) as {{ dbt.type_string() }}
    ) || tasks.task_id as task_order,
    tasks.due_at as task_due_at,
    tasks.original_due_at as task_original_due_at
from {{ ref('crm_tasks') }} as tasks
inner join evidence
    on tasks.crm = evidence.crm and evidence.kind = 'task' and tasks.task_type = evidence.name
where tasks.deal_id is not null
{% set no_task %}
    cast(null as {{ dbt.type_string() }}) as owner_id,
    cast(null as {{ dbt.type_string() }}) as task_order,
    cast(null as {{ dbt.type_timestamp() }}) as task_due_at,
    cast(null as {{ dbt.type_timestamp() }}) as task_original_due_at
{% endset %}
union all
select
    activities.deal_id,
    evidence.evidence,
    evidence.kind,
    evidence.may_precede,
    activities.occurred_at as proven_at,
    greatest(activities.occurred_at, activities.logged_at) as known_at,
    false as is_undated,
    {{ no_task }}
from {{ ref('crm_activities') }} as activities
inner join evidence
    on
        activities.crm = evidence.crm
        and evidence.kind = 'activity'
        and activities.activity_type = evidence.name
        and coalesce(evidence.direction, activities.direction, '') = coalesce(activities.direction, '')
        and coalesce(evidence.outcome, activities.outcome, '') = coalesce(activities.outcome, '')
where activities.deal_id is not null
union all
select
    contacts.deal_id,
    evidence.evidence,
    evidence.kind,
    evidence.may_precede,
    contacts.added_at as proven_at,
    contacts.added_at as known_at,
    contacts.added_at is null as is_undated,
    {{ no_task }}
from {{ ref('crm_deal_contacts') }} as contacts
inner join evidence
    on
        contacts.crm = evidence.crm
        and evidence.kind = 'contact'
        and evidence.name = case when contacts.is_decision_maker then 'decision_maker' else contacts.role end
union all
select
    events.deal_id,
    evidence.evidence,
    evidence.kind,
    evidence.may_precede,
    events.occurred_at as proven_at,
    events.occurred_at as known_at,
    false as is_undated,
    {{ no_task }}
from {{ ref('crm_revenue_events') }} as events
inner join evidence
    on events.crm = evidence.crm and evidence.kind = 'revenue_event' and events.kind = evidence.name
union all
select
    visits.deal_id,
    reached.evidence,
    reached.kind,
    reached.may_precede,
    case when visits.is_entered_at_exact then visits.entered_at end as proven_at,
    case when visits.is_entered_at_exact then visits.entered_at end as known_at,
    not visits.is_entered_at_exact as is_undated,
    {{ no_task }}
from {{ ref('fct_stage_visits') }} as visits
inner join reached on visits.stage_id = reached.stage_id
where visits.stage_visit_number = 1
