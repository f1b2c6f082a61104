{{ config(materialized='table') }}

-- Every version of every deal, with names for ids. Exports made by hand have the names alone, so both are looked up. A
-- table, since a night reads it a dozen times.
with statuses as (
    select * from {{ ref('base_amocrm__statuses') }}
),

pipelines as (
    select distinct
        pipeline_id as pipeline_key,
        pipeline
    from statuses
    union
    select
        pipeline as pipeline_key,
        pipeline
    from statuses
),

stages as (
    select
        pipeline,
        status_id as status_key,
        status_id,
        stage
    from statuses
    union
    select
        pipeline,
        stage as status_key,
        status_id,
        stage
    from statuses
),

users as (
    {{ current_versions(source('amocrm', 'users')) }}
),

owners as (
    select
        id as owner_key,
        id as owner_id
    from users
    union all
    select
        name as owner_key,
        min(id) as owner_id
    from users
    group by name
    having count(*) = 1
),

loss_reasons as (
    {{ current_versions(source('amocrm', 'loss_reasons')) }}
),

leads as (
    select
        leads.*,
        coalesce(pipelines.pipeline, leads.pipeline_id) as pipeline,
        coalesce(stages.stage, leads.status_id) as stage,
        case
            when coalesce(stages.status_id, leads.status_id) in ('142', 'Успешно реализовано', 'Closed - won') then 'won'
            when coalesce(stages.status_id, leads.status_id) in ('143', 'Закрыто и не реализовано', 'Closed - lost')
                then 'lost'
            else 'open'
        end as status
    from {{ source('amocrm', 'leads') }} as leads
    left join pipelines on leads.pipeline_id = pipelines.pipeline_key
    left join stages
        on coalesce(pipelines.pipeline, leads.pipeline_id) = stages.pipeline and leads.status_id = stages.status_key
)

select
    -- ids
    leads.id as lead_id,
    {{ json_text('leads.embedded', '$.companies[0].id') }} as company_id,
    coalesce(owners.owner_id, leads.responsible_user_id) as owner_id,
    leads.pipeline_id,
    leads.status_id,

    -- attributes
    leads.name,
    leads.pipeline,
    leads.stage,
    leads.status,
    coalesce({{ amocrm_field('deals', 'channel') }}, {{ json_text('leads.embedded', '$.source.name') }}) as channel,
    {{ amocrm_field('deals', 'product') }} as product,
    case
        when leads.status = 'lost'
            then
                coalesce(
                    {{ amocrm_field('deals', 'loss_reason') }},
                    loss_reasons.name,
                    {{ json_text('leads.embedded', '$.loss_reason[0].name') }},
                    leads.loss_reason_id
                )
    end as loss_reason,
    {{ amocrm_field('deals', 'competitor') }} as competitor,
    {{ json_text('leads.embedded', '$.contacts') }} as contacts,

    -- numbers
    leads.price as amount,
    try_cast({{ amocrm_field('deals', 'margin_rate') }} as double) as margin_rate,

    -- booleans
    coalesce(leads.is_deleted, false) as is_deleted,

    -- timestamps, UTC
    leads.created_at,
    {{ day_of(amocrm_field('deals', 'expected_close_date')) }} as expected_close_date,
    case when leads.status <> 'open' then leads.closed_at end as closed_at,
    leads.updated_at,
    leads._extracted_at,
    leads._superseded_at
from leads
left join loss_reasons on leads.loss_reason_id = loss_reasons.id
left join owners on leads.responsible_user_id = owners.owner_key
