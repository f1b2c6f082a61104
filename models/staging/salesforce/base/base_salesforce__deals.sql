-- Every version of an opportunity. The close date of a closed one is when it was closed; what was expected is told by
-- the last state in which it was open, and unknown without one. A day of closing before the creation is no time at all.
with opportunities as (
    select
        versions.*,
        coalesce(versions.is_closed, stages.is_closed, false) as is_ended,
        coalesce(versions.is_won, stages.is_won, false) as is_success
    from {{ source('salesforce', 'opportunity') }} as versions
    left join {{ ref('base_salesforce__stages') }} as stages on versions.stage_name = stages.stage
    where versions._extracted_at <= (select as_of from {{ ref('stg_as_of') }})
),

record_types as (
    {{ current_versions(source('salesforce', 'record_type')) }}
),

open_states as (
    select
        opportunity_id,
        max_by(expected_close_date, state_number) as expected_close_date
    from {{ ref('base_salesforce__states') }}
    where expected_close_date is not null
    group by opportunity_id
)

select
    -- ids
    'salesforce:' || opportunities.id as deal_id,
    'salesforce:' || opportunities.account_id as account_id,
    'salesforce:' || opportunities.owner_id as owner_id,

    -- attributes
    opportunities.name as deal_name,
    coalesce(record_types.name, 'Opportunities') as pipeline,
    opportunities.stage_name as stage,
    case
        when opportunities.is_success then 'won'
        when opportunities.is_ended then 'lost'
        else 'open'
    end as status,
    opportunities.currency_iso_code as currency,
    opportunities.lead_source as channel,
    opportunities.loss_reason,
    opportunities.competitor,

    -- numbers
    opportunities.amount,

    -- booleans
    coalesce(opportunities.is_deleted, false) as is_deleted,

    -- timestamps, UTC
    opportunities.created_date as created_at,
    case
        when opportunities.is_ended then open_states.expected_close_date
        else opportunities.close_date
    end as expected_close_date,
    case
        when opportunities.is_ended
            then coalesce(
                opportunities.last_stage_change_date,
                case
                    when opportunities.close_date >= cast(opportunities.created_date as date)
                        then greatest(
                            cast(opportunities.close_date as {{ dbt.type_timestamp() }}), opportunities.created_date
                        )
                end
            )
    end as closed_at,
    opportunities.last_modified_date as updated_at,
    opportunities._extracted_at,
    opportunities._superseded_at
from opportunities
left join record_types on opportunities.record_type_id = record_types.id
left join open_states on opportunities.id = open_states.opportunity_id
