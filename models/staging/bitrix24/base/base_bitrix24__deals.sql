{{ config(materialized='table') }}

-- Every version of every deal, with names for ids. Exports made by hand have the names alone, so both are looked up.
-- The close date is what the owner expects only while the deal is open: closing overwrites it, and the last one seen
-- before that is kept. A table, since a night reads it a dozen times.
with stages as (
    select * from {{ ref('base_bitrix24__stages') }}
),

pipelines as (
    select distinct
        category_id as category_key,
        pipeline
    from stages
    union
    select
        pipeline as category_key,
        pipeline
    from stages
),

stage_keys as (
    select
        pipeline,
        status_id as stage_key,
        stage,
        semantics
    from stages
    union
    select
        pipeline,
        stage as stage_key,
        stage,
        semantics
    from stages
),

sources as (
    select
        status_id as source_key,
        name as channel
    from (
        {{ current_versions(source('bitrix24', 'statuses')) }}
    ) as statuses
    where entity_id = 'SOURCE'
),

owners as (
    select
        user_id,
        user_id as owner_key
    from {{ ref('stg_bitrix24__users') }}
    union all
    select
        min(user_id) as user_id,
        'bitrix24:' || user_name as owner_key
    from {{ ref('stg_bitrix24__users') }}
    group by user_name
    having count(*) = 1
),

deals as (
    select
        *,
        coalesce(
            nullif(category_id, ''),
            case when stage_id like 'C%:%' then substring({{ dbt.split_part('stage_id', "':'", 1) }}, 2) else '0' end
        ) as category_key
    from {{ source('bitrix24', 'deals') }}
),

named as (
    select
        deals.*,
        coalesce(pipelines.pipeline, deals.category_key) as pipeline,
        coalesce(stage_keys.stage, deals.stage_id) as stage,
        case
            when coalesce(nullif(deals.stage_semantic_id, ''), stage_keys.semantics) = 'S' then 'won'
            when coalesce(nullif(deals.stage_semantic_id, ''), stage_keys.semantics) = 'F' then 'lost'
            when stage_keys.semantics is not null then 'open'
            -- nobody defines the stage
            when deals.stage_id in ('WON', 'Сделка успешна') or deals.stage_id like '%:WON' then 'won'
            when lower(deals.closed) in ('y', 'да', 'yes', 'true', '1') then 'lost'
            else 'open'
        end as status
    from deals
    left join pipelines on deals.category_key = pipelines.category_key
    left join stage_keys
        on coalesce(pipelines.pipeline, deals.category_key) = stage_keys.pipeline and deals.stage_id = stage_keys.stage_key
)

select
    -- ids
    named.id as deal_id,
    nullif(named.company_id, '0') as company_id,
    coalesce(owners.user_id, 'bitrix24:' || nullif(named.assigned_by_id, '0')) as owner_id,

    -- attributes
    named.title,
    named.pipeline,
    named.stage,
    named.status,
    named.currency_id as currency,
    coalesce({{ bitrix24_field('deals', 'channel') }}, sources.channel, named.source_id) as channel,
    {{ bitrix24_field('deals', 'product') }} as product,
    -- a failed deal is in the stage that says why
    case
        when named.status = 'lost' then coalesce({{ bitrix24_field('deals', 'loss_reason') }}, named.stage)
    end as loss_reason,
    {{ bitrix24_field('deals', 'competitor') }} as competitor,
    case
        when named.contact_ids like '[%' then named.contact_ids
        when nullif(named.contact_id, '0') is not null then '["' || named.contact_id || '"]'
    end as contact_ids,

    -- numbers
    cast(round(named.opportunity, 2) as decimal(18, 2)) as amount,
    try_cast({{ bitrix24_field('deals', 'margin_rate') }} as double) as margin_rate,

    -- timestamps, UTC
    named.date_create as created_at,
    last_value(case when named.status = 'open' then {{ day_of('named.closedate') }} end ignore nulls) over (
        partition by named.id
        order by named._extracted_at, named._load_id
        rows between unbounded preceding and current row
    ) as expected_close_date,
    case when named.status <> 'open' then named.moved_time end as closed_at,
    named.date_modify as updated_at,
    named._extracted_at,
    named._superseded_at
from named
left join sources on named.source_id = sources.source_key
left join owners on 'bitrix24:' || named.assigned_by_id = owners.owner_key
