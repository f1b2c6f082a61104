{{ config(materialized='incremental', incremental_strategy='by_deal', by='deal_number') }}

-- One pass over the stays in stages: when each span of the journey was opened in a deal, and when it was passed.
-- A span opens once: a stage that is entered again does not start its steps again.
with lines as (
    select distinct
        map_segment,
        span_id,
        trigger
    from {{ ref('int_journey_lines_resolved') }}
),

named as (
    select distinct map_segment from lines
    where map_segment <> '*'
),

visits as (
    select
        visits.*,
        coalesce(named.map_segment, '*') as map_segment
    from {{ ref('fct_stage_visits') }} as visits
    left join named on visits.segment = named.map_segment
    where {{ is_newly_built('visits._load_id') }}
),

deals as (
    select
        deals.*,
        coalesce(named.map_segment, '*') as map_segment
    from {{ ref('dim_deals') }} as deals
    left join named on deals.segment = named.map_segment
    where {{ is_newly_built('deals._load_id') }}
),

marks as (
    select * from {{ ref('int_journey_spans_mapped') }}
),

met as (
    select
        visits._deal_number as deal_number,
        visits.map_segment,
        marks.span_id,
        visits.entered_at as opened_at,
        case when visits.is_entered_at_exact then visits.entered_at end as opened_exactly_at,
        cast(null as {{ dbt.type_timestamp() }}) as passed_at
    from visits
    inner join marks on visits.stage_id = marks.stage_id and marks.next_stage_id is null
    where visits.stage_visit_number = 1

    union all

    select
        visits._deal_number as deal_number,
        visits.map_segment,
        marks.span_id,
        case when marks.is_opening then visits.exited_at end as opened_at,
        case when marks.is_opening then visits.exited_at end as opened_exactly_at,
        case when marks.is_passing then visits.exited_at end as passed_at
    from visits
    inner join marks on visits.stage_id = marks.stage_id and visits.next_stage_id = marks.next_stage_id

    union all

    select
        deals._deal_number as deal_number,
        deals.map_segment,
        lines.span_id,
        deals.created_at as opened_at,
        deals.created_at as opened_exactly_at,
        cast(null as {{ dbt.type_timestamp() }}) as passed_at
    from deals
    inner join lines on deals.map_segment = lines.map_segment and lines.trigger = 'deal_created'
)

select
    deal_number,
    min(map_segment) as map_segment,
    span_id,
    min(opened_at) as opened_at,
    coalesce(min(opened_exactly_at) = min(opened_at), false) as is_opened_at_exact,
    min(passed_at) as first_passed_at,
    max(passed_at) as last_passed_at,
    (select newest_load_id from {{ ref('stg_as_of') }}) as _load_id
from met
group by deal_number, span_id
