{{ config(materialized='table') }}

-- Which fields a deal of a segment must have from the day it enters a stage, as the sum of their bits. A line holds
-- in its stage and all later ones; the line of the latest stage wins, then the segment's own, then the newest. A loss
-- is no step on the way: what a lost stage asks for holds in lost stages, and nothing else holds there.
with stages as (
    select * from {{ ref('int_stages_completed') }}
),

lines as (
    select
        *,
        cast(valid_from as {{ dbt.type_timestamp() }}) as holds_from
    from {{ ref('card_fields') }}
),

segments as (
    select segment as map_segment from lines
    union
    select '*' as map_segment
),

days as (
    select distinct holds_from from lines
),

ranked as (
    select
        segments.map_segment,
        stages.stage_id,
        days.holds_from,
        lines.field,
        lines.is_required,
        row_number() over (
            partition by segments.map_segment, stages.stage_id, days.holds_from, lines.field
            order by
                origin.position desc,
                case when lines.segment = '*' then 2 else 1 end,
                lines.holds_from desc
        ) as place
    from segments
    cross join stages
    cross join days
    inner join stages as origin
        on
            stages.crm = origin.crm
            and stages.pipeline = origin.pipeline
            and stages.position >= origin.position
            and stages.is_lost = origin.is_lost
    inner join lines
        on
            origin.stage = lines.stage
            and days.holds_from >= lines.holds_from
            and lines.segment in (segments.map_segment, '*')
)

select
    map_segment,
    stage_id,
    holds_from,
    lead(holds_from, 1, cast('9999-12-31' as {{ dbt.type_timestamp() }})) over (
        partition by map_segment, stage_id
        order by holds_from
    ) as holds_to,
    cast(
        sum(
            case
                when not is_required then 0
                {% for field, bit in card_bits().items() %}
                    when field = '{{ field }}' then {{ bit }}
                {% endfor %}
            end
        ) as integer
    ) as required_bits
from ranked
where place = 1
group by map_segment, stage_id, holds_from
