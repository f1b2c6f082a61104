{{ config(materialized='table') }}

-- The deals of which it is asked why: those that were lost, and those that are dead though their CRM calls them open,
-- because the client has not been heard for longer than all but few won deals ever had it. Each with the stay it was lost
-- in, or is in, and how long the silence was by then.
{% set declared = 'cast(' ~ (var('silence_norm_days') or 'null') ~ ' as integer)' %}
with as_of as (
    select * from {{ ref('stg_as_of') }}
),

deals as (
    select
        deals.*,
        facts.lost_at,
        coalesce(facts.lost_at, as_of.as_of) as until_at
    from {{ ref('dim_deals') }} as deals
    inner join {{ ref('fct_deals') }} as facts on deals._deal_number = facts._deal_number
    cross join as_of
    where deals.status = 'open' or facts.lost_at is not null
),

-- heard last, as far as it was known by then
heard as (
    select
        contacts.deal_number,
        max(contacts.occurred_at) as last_heard_at
    from {{ ref('int_indicator_contacts') }} as contacts
    inner join deals on contacts.deal_number = deals._deal_number and contacts.known_at <= deals.until_at
    where contacts.is_two_way
    group by contacts.deal_number
),

-- the stay that ended in the loss; of an open deal, the one it is in
stays as (
    select
        visits._deal_number,
        max_by(visits.stage_id, visits.visit_number) as stage_id,
        max_by(visits.entered_at, visits.visit_number) as entered_at
    from {{ ref('fct_stage_visits') }} as visits
    inner join {{ ref('dim_stages') }} as stages on visits.stage_id = stages.stage_id
    where
        not stages.is_won and not stages.is_lost and coalesce(stages.phase, '') <> 'onboarding'
        and visits._deal_number in (select _deal_number from deals)
    group by visits._deal_number
),

judged as (
    select
        deals.*,
        stays.stage_id,
        stays.entered_at,
        case when given.crm is not null then coalesce(heard.last_heard_at, deals.created_at) end as last_heard_at,
        deciders.changed_at as decider_at,
        decides.crm is not null as is_decider_told,
        coalesce({{ declared }}, own.norm_days, overall.norm_days) as silence_norm_days,
        coalesce({{ declared }}, own.longest_days, overall.longest_days) as silence_longest_days
    from deals
    left join stays on deals._deal_number = stays._deal_number
    left join heard on deals._deal_number = heard.deal_number
    left join {{ ref('int_capabilities_found') }} as given
        on deals.crm = given.crm and given.capability = 'activity'
    left join {{ ref('int_capabilities_found') }} as decides
        on deals.crm = decides.crm and decides.capability = 'decision_maker'
    left join {{ ref('ind_decision_maker_involved') }} as deciders on deals.deal_id = deciders.deal_id
    left join {{ ref('int_loss_silence_norms') }} as own
        on
            deals.segment = own.segment
            and cast(deals.until_at as date) >= own.valid_from
            and cast(deals.until_at as date) < own.valid_to
    left join {{ ref('int_loss_silence_norms') }} as overall
        on
            overall.segment = '(all)'
            and cast(deals.until_at as date) >= overall.valid_from
            and cast(deals.until_at as date) < overall.valid_to
),

silent as (
    select
        *,
        {{ days_between('last_heard_at', 'until_at') }} as silence_days
    from judged
)

select
    _deal_number as deal_number,
    deal_id,
    crm,
    pipeline,
    segment,
    channel,
    team,
    owner_id,
    amount,
    currency,
    competitor,
    loss_reason,
    lost_at is null as is_silent_death,
    silence_days,
    silence_norm_days,
    coalesce(silence_days > silence_norm_days, false) as is_silent,
    -- the day on which it could be seen
    case when silence_days > silence_norm_days then {{ dbt.dateadd('day', 'silence_norm_days', 'last_heard_at') }} end
        as silent_from_at,
    stage_id,
    entered_at,
    last_heard_at,
    decider_at,
    is_decider_told,
    lost_at,
    until_at
from silent
where lost_at is not null or silence_days > silence_longest_days
