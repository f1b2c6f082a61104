{{ config(materialized='table') }}

-- Stages in their order, of no pipeline yet. An extract without OpportunityStage still says of each opportunity which
-- stage it is in, how probable and whether closed: then the order is that of the probability with which a stage was
-- first seen, so that it never changes but for a new stage. A
-- table: small, and in the way of every read of a state.
with dictionary as (
    {{ current_versions(source('salesforce', 'opportunity_stage')) }}
),

seen as (
    select
        stage_name,
        probability,
        coalesce(is_closed, stage_name in ('Closed Won', 'Closed Lost')) as is_closed,
        coalesce(is_won, stage_name = 'Closed Won') as is_won,
        _load_id
    from {{ source('salesforce', 'opportunity') }}
    where _extracted_at <= (select as_of from {{ ref('stg_as_of') }})
    union all
    select
        stage_name,
        probability,
        coalesce(forecast_category = 'Closed' or (forecast_category = 'Omitted' and probability = 0), false) as is_closed,
        coalesce(forecast_category = 'Closed', false) as is_won,
        _load_id
    from {{ source('salesforce', 'opportunity_history') }}
    where _extracted_at <= (select as_of from {{ ref('stg_as_of') }})
),

first_seen as (
    select
        stage_name,
        min(_load_id) as load_id
    from seen
    where not exists (select 1 from dictionary)
    group by stage_name
),

told as (
    select
        master_label as stage,
        default_probability as probability,
        coalesce(is_closed, false) as is_closed,
        coalesce(is_won, false) as is_won,
        sort_order,
        cast(null as integer) as load_id
    from dictionary
    union all
    select
        seen.stage_name as stage,
        median(seen.probability) as probability,
        max(case when seen.is_closed then 1 else 0 end) = 1 as is_closed,
        max(case when seen.is_won then 1 else 0 end) = 1 as is_won,
        cast(null as integer) as sort_order,
        first_seen.load_id
    from seen
    inner join first_seen on seen.stage_name = first_seen.stage_name and seen._load_id = first_seen.load_id
    group by seen.stage_name, first_seen.load_id
)

select
    stage,
    probability / 100 as probability,
    is_closed,
    is_won,
    is_closed and not is_won as is_lost,
    row_number() over (
        order by sort_order, case when is_won then 1 when is_closed then 2 else 0 end, probability, stage
    ) as position,
    load_id
from told
