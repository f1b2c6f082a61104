{{ config(materialized='incremental', incremental_strategy='by_deal', by='deal_number') }}

-- The key tasks of the journey map, as they became known: since when it was known that a step had begun, that it was
-- done, that the deal had gone on without it. Of several proofs the one known first counts. Steps that cannot be told
-- are left out.
with steps as (
    select
        steps._deal_number as deal_number,
        steps.deal_id,
        steps.step,
        lines.evidence,
        steps.phase,
        steps.triggered_at,
        steps.due_at,
        proven.passed_at,
        steps._load_id
    from {{ ref('fct_journey_steps') }} as steps
    inner join {{ ref('int_journey_steps_proven') }} as proven on steps._deal_number = proven.deal_number
    inner join (
        select distinct
            journey_line_id,
            step,
            evidence
        from {{ ref('int_journey_lines_resolved') }}
    ) as lines
        on proven.journey_line_id = lines.journey_line_id and steps.step = lines.step
    where
        steps.not_measurable_reason is null
        and steps.due_at is not null
        and {{ is_newly_built('steps._load_id') }}
),

late_moves as (
    select
        deal_number,
        entered_at as happened_at,
        max(known_at) as known_at
    from {{ ref('int_indicator_stages_known') }}
    where known_at > entered_at and deal_number in (select deal_number from steps)
    group by deal_number, entered_at
),

facts as (
    select
        numbers.deal_number,
        facts.evidence,
        facts.may_precede,
        facts.proven_at,
        greatest(facts.known_at, coalesce(late_moves.known_at, facts.known_at)) as known_at
    from {{ ref('int_journey_evidence_listed') }} as facts
    inner join {{ ref('int_deals_numbered') }} as numbers on facts.deal_id = numbers.deal_id
    left join late_moves
        on
            numbers.deal_number = late_moves.deal_number
            and facts.proven_at = late_moves.happened_at
            and facts.kind in ('stage_reached', 'won')
    where
        facts.proven_at is not null
        {% if is_incremental() %}
            -- asked of the table: how many steps there are above the planner does not know, and would build on the facts
            and facts.deal_id in (select deal_id from {{ ref('fct_journey_steps') }} where {{ is_newly_built() }})
        {% endif %}
),

-- what was recorded later than it happened, by the moment at which it happened
late as (
    select * from late_moves
    union all
    select
        deal_number,
        proven_at as happened_at,
        max(known_at) as known_at
    from facts
    where known_at > proven_at
    group by deal_number, proven_at
),

late_once as (
    select
        deal_number,
        happened_at,
        min(known_at) as known_at
    from late
    group by deal_number, happened_at
),

begun as (
    select
        steps.*,
        greatest(steps.triggered_at, coalesce(triggers.known_at, steps.triggered_at)) as known_at,
        greatest(steps.passed_at, coalesce(passes.known_at, steps.passed_at)) as passed_known_at
    from steps
    left join late_once as triggers on steps.deal_number = triggers.deal_number and steps.triggered_at = triggers.happened_at
    left join late_once as passes on steps.deal_number = passes.deal_number and steps.passed_at = passes.happened_at
),

proven as (
    select
        begun.deal_number,
        begun.step,
        min(facts.known_at) as done_known_at,
        min_by(facts.proven_at, facts.known_at) as done_at
    from begun
    inner join facts
        on
            begun.deal_number = facts.deal_number
            and begun.evidence = facts.evidence
            and (facts.may_precede or begun.triggered_at <= facts.proven_at)
    group by begun.deal_number, begun.step
)

select
    begun.deal_number,
    begun.deal_id,
    begun.step,
    begun.phase,
    begun.triggered_at,
    begun.known_at,
    begun.due_at,
    proven.done_at,
    -- done before it had begun: known to be done as soon as it is known to have begun
    case when proven.done_known_at < begun.known_at then begun.known_at else proven.done_known_at end as done_known_at,
    begun.passed_known_at,
    begun._load_id
from begun
left join proven on begun.deal_number = proven.deal_number and begun.step = proven.step
