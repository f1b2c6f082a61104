{{ config(materialized='table') }}

-- Entries of deals into stages. deal_stage has them all; where it has none of a deal, the history of the property
-- dealstage. hs_v2_date_entered_* is not read: it has one date per stage, so a deal that came back would have lost a stay.
-- A table: moves and close dates are read from it.
with entries as (
    select
        deal_id,
        value as stage_id,
        date_entered as changed_at,
        source_id
    from ({{ current_versions(source('hubspot', 'deal_stage')) }}) as listed
    union all
    select
        deal_id,
        value as stage_id,
        changed_at,
        source_id
    from {{ ref('base_hubspot__property_history') }}
    where
        name = 'dealstage'
        and value <> ''
        and deal_id not in (select deal_id from {{ source('hubspot', 'deal_stage') }})
)

select
    entries.deal_id,
    coalesce(stages.stage, entries.stage_id) as stage,
    coalesce(stages.is_closed, lower(entries.stage_id) in ('closedwon', 'closedlost')) as is_closed,
    entries.changed_at,
    entries.source_id
from entries
left join {{ ref('base_hubspot__stages') }} as stages
    on entries.stage_id = stages.stage_id and stages.is_first_of_its_id
