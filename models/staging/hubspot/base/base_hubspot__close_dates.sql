{{ config(materialized='table') }}

-- The close dates that somebody expected, from the history of the property. HubSpot writes two dates itself, and nobody
-- expects them: the end of the month of creation, until a date is entered, and the time of closing, once a deal closes.
-- A table: every read of a deal asks for the last of them.
with deals as (
    select
        deal_id,
        property_createdate as created_at
    from ({{ current_versions(source('hubspot', 'deal')) }}) as current_deals
),

timeline as (
    select
        deal_id,
        -- closing writes the date in the same moment, or just before
        {{ dbt.dateadd('minute', -1, 'changed_at') }} as changed_at,
        is_closed,
        cast(null as {{ dbt.type_string() }}) as source,
        cast(null as {{ dbt.type_string() }}) as source_id,
        cast(null as date) as close_date,
        false as is_close_date
    from {{ ref('base_hubspot__stage_log') }}
    union all
    select
        deal_id,
        changed_at,
        cast(null as boolean) as is_closed,
        source,
        source_id,
        cast({{ utc_from_text('value') }} as date) as close_date,
        true as is_close_date
    from {{ ref('base_hubspot__property_history') }}
    where name = 'closedate'
),

placed as (
    select
        timeline.deal_id,
        timeline.changed_at,
        timeline.source,
        timeline.source_id,
        timeline.close_date,
        timeline.is_close_date,
        deals.created_at,
        last(timeline.is_closed ignore nulls) over (
            partition by timeline.deal_id order by timeline.changed_at, timeline.is_close_date
            rows between unbounded preceding and current row
        ) as is_closed,
        row_number() over (
            partition by timeline.deal_id, timeline.is_close_date order by timeline.changed_at, timeline.close_date
        ) as date_number
    from timeline
    inner join deals on timeline.deal_id = deals.deal_id
)

select
    deal_id,
    changed_at,
    source,
    source_id,
    case
        when date_number > 1 or close_date <> cast({{ dbt.last_day('created_at', 'month') }} as date) then close_date
    end as close_date,
    date_number = 1 and changed_at <= {{ dbt.dateadd('minute', 1, 'created_at') }} as is_of_creation
from placed
where is_close_date and not coalesce(is_closed, false)
