{{ config(meta={'dagster': {'ref': {'name': 'int_journey_lines_resolved'}}}) }}

-- No two lines of one segment and step hold on one day.
with lines as (
    select
        row_number() over (order by segment, step, valid_from, version) as line_number,
        segment,
        step,
        valid_from,
        coalesce(valid_to, cast('9999-12-31' as date)) as valid_to
    from {{ ref('journey_map') }}
)

select
    earlier.segment,
    earlier.step,
    earlier.valid_to,
    later.valid_from
from lines as earlier
inner join lines as later
    on
        earlier.segment = later.segment
        and earlier.step = later.step
        and earlier.line_number < later.line_number
        and earlier.valid_from < later.valid_to
        and earlier.valid_to > later.valid_from
