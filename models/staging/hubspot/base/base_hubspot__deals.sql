-- Every version of a deal, with names for its ids. The close date of a closed deal is when it was closed; what was
-- expected is told by the history, and unknown without one. So is the date HubSpot fills in at the creation. A deal
-- that was merged into another stays as a row in HubSpot; here it is deleted.
with deals as (
    select
        deal_id,
        is_deleted,
        property_createdate as created_at,
        property_hs_lastmodifieddate as updated_at,
        {{ hubspot_property('dealname') }} as deal_name,
        coalesce(deal_pipeline_id, nullif({{ json_text('properties', '$.pipeline') }}, '')) as pipeline_id,
        coalesce(deal_pipeline_stage_id, nullif({{ json_text('properties', '$.dealstage') }}, '')) as stage_id,
        coalesce(owner_id, nullif({{ json_text('properties', '$.hubspot_owner_id') }}, '')) as hubspot_owner_id,
        {{ hubspot_property('amount', 'decimal(18, 2)') }} as amount,
        {{ hubspot_property('deal_currency_code') }} as currency,
        {{ hubspot_property('closedate', 'timestamp') }} as close_date,
        {{ hubspot_property('closed_lost_reason') }} as loss_reason,
        {{ hubspot_property('hs_analytics_source') }} as channel,
        {{ hubspot_property('hs_is_closed', 'boolean') }} as is_closed,
        {{ hubspot_property('hs_is_closed_won', 'boolean') }} as is_won,
        {{ hubspot_property('hs_primary_associated_company') }} as company_id,
        _extracted_at,
        _superseded_at
    from {{ source('hubspot', 'deal') }}
    where _extracted_at <= (select as_of from {{ ref('stg_as_of') }})
),

-- an export by hand has labels in the place of ids
stages as (
    select
        pipeline_id,
        stage_id,
        pipeline,
        stage,
        is_won,
        is_lost,
        is_first_of_its_id
    from {{ ref('base_hubspot__stages') }}
    union all
    select
        pipeline as pipeline_id,
        stage as stage_id,
        pipeline,
        stage,
        is_won,
        is_lost,
        false as is_first_of_its_id
    from {{ ref('base_hubspot__stages') }}
    where stage not in (select stage_id from {{ ref('base_hubspot__stages') }})
),

pipelines as (
    select distinct
        pipeline_id,
        pipeline
    from {{ ref('base_hubspot__stages') }}
),

expected as (
    select
        deal_id,
        max_by(close_date, changed_at) as close_date
    from {{ ref('base_hubspot__close_dates') }}
    group by deal_id
),

merged as (
    select distinct merged_deal_id
    from ({{ current_versions(source('hubspot', 'merged_deal')) }}) as merged_deals
),

named as (
    select
        deals.*,
        coalesce(pipelines.pipeline, deals.pipeline_id, stages.pipeline, '(no pipeline)') as pipeline,
        coalesce(stages.stage, deals.stage_id, '(no stage)') as stage,
        case
            when stages.is_won then 'won'
            when stages.is_lost then 'lost'
            when stages.stage_id is not null then 'open'
            when deals.is_won or lower(replace(deals.stage_id, ' ', '')) = 'closedwon' then 'won'
            when deals.is_closed or lower(replace(deals.stage_id, ' ', '')) = 'closedlost' then 'lost'
            else 'open'
        end as status,
        companies.company_id as associated_company_id,
        expected.close_date as expected_close_date,
        merged.merged_deal_id is not null as is_merged
    from deals
    left join stages
        on
            deals.stage_id = stages.stage_id
            and (deals.pipeline_id = stages.pipeline_id or (deals.pipeline_id is null and stages.is_first_of_its_id))
    left join pipelines on deals.pipeline_id = pipelines.pipeline_id
    left join {{ ref('base_hubspot__deal_companies') }} as companies on deals.deal_id = companies.deal_id
    left join expected on deals.deal_id = expected.deal_id
    left join merged on deals.deal_id = merged.merged_deal_id
)

select
    -- ids
    'hubspot:' || deal_id as deal_id,
    'hubspot:' || coalesce(company_id, associated_company_id) as account_id,
    'hubspot:' || hubspot_owner_id as owner_id,

    -- attributes
    deal_name,
    pipeline,
    stage,
    status,
    currency,
    channel,
    loss_reason,

    -- numbers
    amount,

    -- booleans
    coalesce(is_deleted, false) or is_merged as is_deleted,

    -- timestamps, UTC
    created_at,
    case
        when status <> 'open' then expected_close_date
        when cast(close_date as date) = expected_close_date then expected_close_date
        when cast(close_date as date) <> cast({{ dbt.last_day('created_at', 'month') }} as date)
            then cast(close_date as date)
    end as expected_close_date,
    case when status <> 'open' and close_date >= created_at then close_date end as closed_at,
    updated_at,
    _extracted_at,
    _superseded_at
from named
