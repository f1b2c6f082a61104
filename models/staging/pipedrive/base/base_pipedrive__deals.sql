-- Every version of a deal, with names for its ids. Winning and losing is a status in Pipedrive, not a stage: a closed
-- deal is in the stage Won or Lost, which stg_pipedrive__stages gives each pipeline. An export by hand has names in the
-- place of ids, so an id that no dictionary knows stands for itself.
with deals as (
    select
        *,
        lower(trim(status)) as deal_status
    from {{ source('pipedrive', 'deals') }}
    where _extracted_at <= (select as_of from {{ ref('stg_as_of') }})
),

stages as (
    select * from {{ ref('base_pipedrive__stages') }}
),

pipelines as (
    select distinct
        pipeline_id,
        pipeline
    from stages
)

select
    -- ids
    'pipedrive:' || deals.id as deal_id,
    'pipedrive:' || {{ pipedrive_id('deals.org_id') }} as account_id,
    'pipedrive:' || {{ pipedrive_id('deals.user_id') }} as owner_id,
    'pipedrive:' || {{ pipedrive_id('deals.person_id') }} as contact_id,

    -- attributes
    deals.title as deal_name,
    coalesce(pipelines.pipeline, deals.pipeline_id, stages.pipeline, '(no pipeline)') as pipeline,
    case deals.deal_status
        when 'won' then 'Won'
        when 'lost' then 'Lost'
        else coalesce(stages.stage, deals.stage_id)
    end as stage,
    coalesce(stages.stage, deals.stage_id) as last_stage,
    case when deals.deal_status in ('won', 'lost') then deals.deal_status else 'open' end as status,
    deals.currency,
    deals.channel,
    deals.lost_reason as loss_reason,

    -- numbers
    deals.value as amount,

    -- booleans
    coalesce(deals.is_deleted, false) or deals.deal_status = 'deleted' as is_deleted,

    -- timestamps, UTC
    deals.add_time as created_at,
    deals.expected_close_date,
    case deals.deal_status
        when 'won' then coalesce(deals.won_time, deals.close_time)
        when 'lost' then coalesce(deals.lost_time, deals.close_time)
    end as closed_at,
    deals.update_time as updated_at,
    deals._extracted_at,
    deals._superseded_at
from deals
left join stages on deals.stage_id = stages.stage_id
left join pipelines on deals.pipeline_id = pipelines.pipeline_id
