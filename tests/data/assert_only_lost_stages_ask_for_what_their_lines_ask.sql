{{ config(meta={'dagster': {'ref': {'name': 'fct_card_completeness'}}}) }}

-- A loss is no step on the way: a deal that was won is never asked why it was lost, however the pipeline orders its
-- stages. A field that only lines of lost stages ask for is missing, or unknown, in lost stages alone.
with asked as (
    select
        fields.field,
        bool_and(stages.is_lost) as is_of_lost_stages
    from {{ ref('card_fields') }} as fields
    inner join {{ ref('dim_stages') }} as stages on fields.stage = stages.stage
    where fields.is_required
    group by fields.field
)

select
    cards.deal_id,
    cards.changed_at,
    asked.field
from {{ ref('fct_card_completeness') }} as cards
inner join {{ ref('dim_stages') }} as stages on cards.stage_id = stages.stage_id
inner join asked
    on
        ', ' || coalesce(cards.missing_fields, replace(cards.not_measurable_reason, 'not known then: ', '')) || ', '
        like '%, ' || asked.field || ', %'
where
    asked.is_of_lost_stages
    and not stages.is_lost
