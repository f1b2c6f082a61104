{{ config(materialized='incremental', incremental_strategy='by_deal') }}

-- One row per deal and step in force when the step was triggered, with its proof. Steps that begin with the deal's
-- own life come first; those that begin when another step is done follow in rounds, because only then it is known
-- when they began. Three rounds follow each other at most, and a test says when the map needs more.
{% set rounds = 3 %}
with lines as (
    select * from {{ ref('int_journey_lines_resolved') }}
),

deals as (
    select
        deals.deal_id,
        deals.crm,
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

{% for round in range(rounds) %}
    started_{{ round }} as (
        {% if round == 0 %}
            select
                deals.deal_id,
                deals.map_segment,
                lines.journey_line_id,
                lines.step,
                lines.evidence,
                lines.is_contested,
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
        {% else %}
            select
                done.deal_id,
                done.map_segment,
                lines.journey_line_id,
                lines.step,
                lines.evidence,
                lines.is_contested,
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
        {% endif %}
    ),

    proven_later_{{ round }} as (
        select
            started.deal_id,
            started.step,
            min(facts.proven_at) as proven_at,
            min_by(facts.kind, facts.proven_at) as proven_by
        from later_facts as facts
        inner join started_{{ round }} as started
            on
                facts.deal_id = started.deal_id
                and facts.evidence = started.evidence
                and facts.proven_at >= started.triggered_at
        group by started.deal_id, started.step
    ),

    done_{{ round }} as (
        select
            started.*,
            coalesce(least(found.first_proven_at, later.proven_at), found.first_proven_at, later.proven_at) as done_at,
            case
                when later.proven_at < coalesce(found.first_proven_at, later.proven_at) then later.proven_by
                else coalesce(found.first_proven_by, later.proven_by, found.undated_by)
            end as done_by,
            found.undated_by is not null as is_done_undated,
            found.task_owner_id,
            found.task_due_at,
            found.task_original_due_at
        from started_{{ round }} as started
        left join found on started.deal_id = found.deal_id and started.evidence = found.evidence
        left join proven_later_{{ round }} as later
            on started.deal_id = later.deal_id and started.step = later.step
    ),
{% endfor %}

steps as (
    {% for round in range(rounds) %}
        select * from done_{{ round }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

numbered as (
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
)

select
    deal_id,
    journey_line_id,
    map_segment,
    step,
    evidence,
    done_by,
    task_owner_id,
    is_triggered_at_exact,
    is_done_undated,
    triggered_at,
    first_passed_at,
    last_passed_at,
    done_at,
    task_due_at,
    task_original_due_at,
    (select newest_load_id from {{ ref('stg_as_of') }}) as _load_id
from numbered
where place = 1
