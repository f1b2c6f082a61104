{{ config(materialized='table') }}

-- Which evidence a CRM has ever given by its name. One with tasks, none of them of a proposal, does not say that no
-- proposal was sent. never_given says what was never seen, and is null where any of the ways to do the step was.
{% set no_more %}
    cast(null as {{ dbt.type_string() }}) as direction,
    cast(null as {{ dbt.type_string() }}) as outcome
{% endset %}
with given as (
    select distinct
        crm,
        'task' as kind,
        task_type as name,
        {{ no_more }}
    from {{ ref('crm_tasks') }}
    union all
    select distinct
        crm,
        'activity' as kind,
        activity_type as name,
        direction,
        outcome
    from {{ ref('crm_activities') }}
    union all
    select distinct
        crm,
        'contact' as kind,
        case when is_decision_maker then 'decision_maker' else role end as name,
        {{ no_more }}
    from {{ ref('crm_deal_contacts') }}
    union all
    select distinct
        crm,
        'revenue_event' as kind,
        kind as name,
        {{ no_more }}
    from {{ ref('crm_revenue_events') }}
    union all
    select distinct
        crm,
        'stage_reached' as kind,
        stage as name,
        {{ no_more }}
    from {{ ref('int_stages_completed') }}
    union all
    select distinct
        crm,
        'won' as kind,
        cast(null as {{ dbt.type_string() }}) as name,
        {{ no_more }}
    from {{ ref('int_stages_completed') }}
    where is_won
),

ways as (
    select
        measured.crm,
        measured.evidence,
        measured.kind
        || coalesce(' ' || measured.name, '')
        || coalesce(' ' || measured.direction, '')
        || coalesce(' ' || measured.outcome, '') as way,
        max(case when given.crm is null then 0 else 1 end) as is_given
    from {{ ref('int_journey_evidence_measured') }} as measured
    left join given
        on
            measured.crm = given.crm
            and measured.kind = given.kind
            and coalesce(measured.name, '') = coalesce(given.name, '')
            and coalesce(measured.direction, given.direction, '') = coalesce(given.direction, '')
            and coalesce(measured.outcome, given.outcome, '') = coalesce(given.outcome, '')
    group by measured.crm, measured.evidence, measured.kind, measured.name, measured.direction, measured.outcome
)

select
    crm,
    evidence,
    case
        when max(is_given) = 0
            then 'never given by ' || crm || ': ' || {{ dbt.listagg('way', "', '", 'order by way') }}
    end as never_given
from ways
group by crm, evidence
