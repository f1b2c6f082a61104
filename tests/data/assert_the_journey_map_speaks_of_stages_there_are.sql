{{ config(severity='warn', meta={'dagster': {'ref': {'name': 'int_journey_lines_resolved'}}}) }}

-- A stage that no pipeline has never triggers a step, is never left and never reached, so a slip of the pen in it
-- would go unseen.
with named as (
    select
        'journey_map' as seed,
        stage
    from {{ ref('journey_map') }}
    union
    select
        'journey_map' as seed,
        trigger_name as stage
    from {{ ref('journey_map') }}
    where trigger = 'stage_entered'
    union
    select
        'journey_map' as seed,
        skipped_after_stage as stage
    from {{ ref('journey_map') }}
    union
    select
        'journey_evidence' as seed,
        name as stage
    from {{ ref('journey_evidence') }}
    where kind = 'stage_reached'
    union
    select
        'card_fields' as seed,
        stage
    from {{ ref('card_fields') }}
)

select
    seed,
    stage
from named
where stage is not null and stage not in (select stage from {{ ref('int_stages_completed') }})
