{{ config(materialized='incremental', incremental_strategy='by_deal', by='deal_number') }}

-- One row per deal and step, by the line of the map in force when the step was triggered, with its proof. Steps that
-- begin with the deal's own life come first; one that begins when another is done follows it, because only then it
-- is known when it began. Two such rounds are enough for three steps in a row, and a test says when the map has more.
-- Most steps need no more than their first proof; the others go a way of their own, which is why it is short.
-- Where versions of a step begin differently, a deal may begin it by each while the other is in force. Then the line
-- in force when the deal was created holds.
{% set rounds = 2 %}
with lines as (
    select * from {{ ref('int_journey_lines_resolved') }}
),

-- a line by its number, whatever segment and time it holds for
names as (
    select distinct
        journey_line_id,
        step,
        evidence,
        is_followed,
        is_contested,
        is_proven_later
    from lines
),

-- no deals at all, unless the map has such versions
created as (
    select
        _deal_number as deal_number,
        created_at
    from {{ ref('dim_deals') }}
    where true in (select is_begun_otherwise from lines)
),

-- proves something only after the trigger, as a call does
later_facts as (
    select
        numbers.deal_number,
        facts.evidence,
        facts.kind,
        facts.proven_at
    from {{ ref('int_journey_evidence_listed') }} as facts
    inner join {{ ref('int_deals_numbered') }} as numbers on facts.deal_id = numbers.deal_id
    where
        not facts.may_precede
        and facts.proven_at is not null
        and {{ is_touched('facts.deal_id') }}
),

started_0 as (
    select
        spans.deal_number,
        spans.map_segment,
        lines.journey_line_id,
        spans.opened_at as triggered_at,
        spans.is_opened_at_exact as is_triggered_at_exact,
        spans.first_passed_at,
        spans.last_passed_at,
        spans.opened_at >= lines.holds_from and spans.opened_at < lines.holds_to as is_in_force
    from {{ ref('int_journey_spans_met') }} as spans
    inner join lines on spans.span_id = lines.span_id and spans.map_segment = lines.map_segment
    left join created on lines.is_begun_otherwise and spans.deal_number = created.deal_number
    where
        spans.opened_at is not null
        and (
            (spans.opened_at >= lines.holds_from and spans.opened_at < lines.holds_to)
            or (created.created_at >= lines.holds_from and created.created_at < lines.holds_to)
        )
        and {{ is_newly_built('spans._load_id') }}
),

{% for round in range(1, rounds + 1) %}
    done_{{ round - 1 }} as (
        select
            started.deal_number,
            started.map_segment,
            names.step,
            min(
                least(
                    coalesce(found.first_proven_at, facts.proven_at), coalesce(facts.proven_at, found.first_proven_at)
                )
            ) as done_at
        from started_{{ round - 1 }} as started
        inner join names on started.journey_line_id = names.journey_line_id
        left join {{ ref('int_journey_evidence_found') }} as found
            on started.deal_number = found.deal_number and names.evidence = found.evidence
        left join later_facts as facts
            on
                started.deal_number = facts.deal_number
                and names.evidence = facts.evidence
                and started.triggered_at <= facts.proven_at
        where names.is_followed
        group by started.deal_number, started.map_segment, names.step
    ),

    started_{{ round }} as (
        select
            done.deal_number,
            done.map_segment,
            lines.journey_line_id,
            done.done_at as triggered_at,
            true as is_triggered_at_exact,
            spans.first_passed_at,
            spans.last_passed_at,
            done.done_at >= lines.holds_from and done.done_at < lines.holds_to as is_in_force
        from done_{{ round - 1 }} as done
        inner join lines
            on
                lines.trigger = 'step_done'
                and done.step = lines.trigger_name
                and done.map_segment = lines.map_segment
        left join created on lines.is_begun_otherwise and done.deal_number = created.deal_number
        left join {{ ref('int_journey_spans_met') }} as spans
            on done.deal_number = spans.deal_number and lines.span_id = spans.span_id
        where
            done.done_at is not null
            and (
                (done.done_at >= lines.holds_from and done.done_at < lines.holds_to)
                or (created.created_at >= lines.holds_from and created.created_at < lines.holds_to)
            )
    ),
{% endfor %}

special as (
    {% for round in range(rounds + 1) %}
        select
            started.*,
            names.step,
            names.evidence
        from started_{{ round }} as started
        inner join names on started.journey_line_id = names.journey_line_id
        where names.is_contested or names.is_proven_later
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

proven_later as (
    select
        special.deal_number,
        special.journey_line_id,
        min(facts.proven_at) as proven_at,
        {{ first_proven_by('facts.kind', 'facts.proven_at') }} as proven_by
    from later_facts as facts
    inner join special
        on
            facts.deal_number = special.deal_number
            and facts.evidence = special.evidence
            and facts.proven_at >= special.triggered_at
    group by special.deal_number, special.journey_line_id
),

steps as (
    select
        started.deal_number,
        started.journey_line_id,
        started.triggered_at,
        started.is_triggered_at_exact,
        started.first_passed_at,
        started.last_passed_at,
        names.evidence,
        1 as place,
        cast(null as {{ dbt.type_timestamp() }}) as later_proven_at,
        cast(null as {{ dbt.type_string() }}) as later_proven_by
    from started_0 as started
    inner join names on started.journey_line_id = names.journey_line_id
    where not (names.is_contested or names.is_proven_later)
    union all
    select
        special.deal_number,
        special.journey_line_id,
        special.triggered_at,
        special.is_triggered_at_exact,
        special.first_passed_at,
        special.last_passed_at,
        special.evidence,
        row_number() over (
            partition by special.deal_number, special.step
            order by case when special.is_in_force then 1 else 2 end, special.triggered_at, special.journey_line_id
        ) as place,
        later.proven_at as later_proven_at,
        later.proven_by as later_proven_by
    from special
    left join proven_later as later
        on special.deal_number = later.deal_number and special.journey_line_id = later.journey_line_id
)

select
    steps.deal_number,
    steps.journey_line_id,
    found.task_owner_id,
    case
        when steps.later_proven_at < coalesce(found.first_proven_at, steps.later_proven_at) then steps.later_proven_by
        else coalesce(found.first_proven_by, steps.later_proven_by, found.undated_by)
    end as done_by,
    steps.is_triggered_at_exact,
    coalesce(found.first_proven_at, steps.later_proven_at) is null and found.undated_by is not null as is_done_undated,
    steps.triggered_at,
    coalesce(
        least(found.first_proven_at, steps.later_proven_at), found.first_proven_at, steps.later_proven_at
    ) as done_at,
    -- left the stage forward after the step was triggered
    case
        when steps.first_passed_at >= steps.triggered_at then steps.first_passed_at
        when steps.last_passed_at >= steps.triggered_at then steps.last_passed_at
    end as passed_at,
    found.task_due_at,
    found.task_original_due_at,
    (select newest_load_id from {{ ref('stg_as_of') }}) as _load_id
from steps
left join {{ ref('int_journey_evidence_found') }} as found
    on steps.deal_number = found.deal_number and steps.evidence = found.evidence
where steps.place = 1
