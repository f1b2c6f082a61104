{{ config(materialized='incremental', incremental_strategy='by_deal') }}

-- One row per deal and step, by the line of the map in force when the step was triggered, with its proof. Steps that
-- begin with the deal's own life come first; one that begins when another is done follows it, because only then it
-- is known when it began. Two such rounds are enough for three steps in a row, and a test says when the map has more.
{% set rounds = 2 %}
with lines as (
    select * from {{ ref('int_journey_lines_resolved') }}
),

deals as (
    select
        deals.deal_id,
        coalesce(named.map_segment, '*') as map_segment
    from {{ ref('dim_deals') }} as deals
    left join (select distinct map_segment from lines where map_segment <> '*') as named
        on deals.segment = named.map_segment
    where {{ is_newly_built('deals._load_id') }}
),

spans as (
    select * from {{ ref('int_journey_spans_met') }}
    where {{ is_newly_built() }}
),

found as (
    select * from {{ ref('int_journey_evidence_found') }}
    where {{ is_newly_built() }}
),

-- proves something only after the trigger, as a call does
later_facts as (
    select
        deal_id,
        evidence,
        kind,
        proven_at
    from {{ ref('int_journey_evidence_listed') }}
    where
        not may_precede
        and proven_at is not null
        and {{ is_touched('deal_id') }}
),

started_0 as (
    select
        deals.deal_id,
        deals.map_segment,
        lines.journey_line_id,
        lines.step,
        lines.evidence,
        lines.is_followed,
        lines.is_contested,
        lines.is_proven_later,
        spans.opened_at as triggered_at,
        spans.is_opened_at_exact as is_triggered_at_exact,
        spans.first_passed_at,
        spans.last_passed_at
    from spans
    inner join deals on spans.deal_id = deals.deal_id
    inner join lines
        on
            spans.span_id = lines.span_id
            and deals.map_segment = lines.map_segment
            and spans.opened_at >= lines.holds_from
            and spans.opened_at < lines.holds_to
),

{% for round in range(1, rounds + 1) %}
    done_{{ round - 1 }} as (
        select
            started.deal_id,
            started.map_segment,
            started.step,
            min(
                least(
                    coalesce(found.first_proven_at, facts.proven_at), coalesce(facts.proven_at, found.first_proven_at)
                )
            ) as done_at
        from started_{{ round - 1 }} as started
        left join found on started.deal_id = found.deal_id and started.evidence = found.evidence
        left join later_facts as facts
            on
                started.deal_id = facts.deal_id
                and started.evidence = facts.evidence
                and started.triggered_at <= facts.proven_at
        where started.is_followed
        group by started.deal_id, started.map_segment, started.step
    ),

    started_{{ round }} as (
        select
            done.deal_id,
            done.map_segment,
            lines.journey_line_id,
            lines.step,
            lines.evidence,
            lines.is_followed,
            lines.is_contested,
            lines.is_proven_later,
            done.done_at as triggered_at,
            true as is_triggered_at_exact,
            spans.first_passed_at,
            spans.last_passed_at
        from done_{{ round - 1 }} as done
        inner join lines
            on
                lines.trigger = 'step_done'
                and done.step = lines.trigger_name
                and done.map_segment = lines.map_segment
                and done.done_at >= lines.holds_from
                and done.done_at < lines.holds_to
        left join spans on done.deal_id = spans.deal_id and lines.span_id = spans.span_id
    ),
{% endfor %}

steps as (
    {% for round in range(rounds + 1) %}
        select * from started_{{ round }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

chosen as (
    select
        *,
        1 as place
    from steps
    where not is_contested
    union all
    select
        *,
        row_number() over (partition by deal_id, step order by triggered_at, journey_line_id) as place
    from steps
    where is_contested
),

proven_later as (
    select
        steps.deal_id,
        steps.journey_line_id,
        min(facts.proven_at) as proven_at,
        min_by(facts.kind, facts.proven_at) as proven_by
    from later_facts as facts
    inner join steps
        on
            facts.deal_id = steps.deal_id
            and facts.evidence = steps.evidence
            and facts.proven_at >= steps.triggered_at
    where steps.is_proven_later
    group by steps.deal_id, steps.journey_line_id
),

proven as (
    select
        chosen.*,
        found.undated_by,
        found.first_proven_by,
        found.task_owner_id,
        found.task_due_at,
        found.task_original_due_at,
        later.proven_by,
        coalesce(least(found.first_proven_at, later.proven_at), found.first_proven_at, later.proven_at) as done_at,
        coalesce(later.proven_at < found.first_proven_at, found.first_proven_at is null) as is_later_first
    from chosen
    left join found on chosen.deal_id = found.deal_id and chosen.evidence = found.evidence
    left join proven_later as later
        on chosen.deal_id = later.deal_id and chosen.journey_line_id = later.journey_line_id
    where chosen.place = 1
)

select
    deal_id,
    journey_line_id,
    task_owner_id,
    coalesce(case when is_later_first then proven_by else first_proven_by end, undated_by) as done_by,
    is_triggered_at_exact,
    done_at is null and undated_by is not null as is_done_undated,
    triggered_at,
    done_at,
    -- left the stage forward after the step was triggered
    case
        when first_passed_at >= triggered_at then first_passed_at
        when last_passed_at >= triggered_at then last_passed_at
    end as passed_at,
    task_due_at,
    task_original_due_at,
    (select newest_load_id from {{ ref('stg_as_of') }}) as _load_id
from proven
