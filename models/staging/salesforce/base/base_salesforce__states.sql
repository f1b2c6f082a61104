{{ config(materialized='table') }}

-- OpportunityHistory has a row for each state of an opportunity, not for each change: what it was before is in the row
-- before. While an opportunity is closed its close date is no expectation, so those states are passed over. A
-- table: moves, changes and deals are all read from it, and it looks at the whole log of a deal.
with states as (
    {{ current_versions(source('salesforce', 'opportunity_history')) }}
),

stages as (
    select * from {{ ref('base_salesforce__stages') }}
),

dated as (
    select
        states.*,
        case when not coalesce(stages.is_closed, false) then states.close_date end as expected_close_date
    from states
    left join stages on states.stage_name = stages.stage
)

select
    opportunity_id,
    created_by_id,
    created_date as changed_at,
    stage_name,
    amount,
    expected_close_date,
    row_number() over log_of_deal as state_number,
    lag(stage_name) over log_of_deal as previous_stage_name,
    lag(amount) over log_of_deal as previous_amount,
    last(expected_close_date ignore nulls) over earlier as previous_expected_close_date
from dated
window
    log_of_deal as (partition by opportunity_id order by created_date, id),
    earlier as (
        partition by opportunity_id order by created_date, id
        rows between unbounded preceding and 1 preceding
    )
