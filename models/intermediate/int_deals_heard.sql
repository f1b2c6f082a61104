{{ config(materialized='table') }}

-- Of each deal, when its client was heard last and since when somebody who decides is on it, as far as was known by its
-- end, or by as_of; and how long the client had been silent by then, beside the norm of that quarter. What was heard after
-- a deal had ended says nothing of how it ended. Where a CRM gives no activities nobody knows, and where too few deals have
-- been won there is no norm.
{% set declared = 'cast(' ~ (var('silence_norm_days') or 'null') ~ ' as integer)' %}
with deals as (
    select
        deals._deal_number as deal_number,
        deals.deal_id,
        deals.crm,
        deals.segment,
        deals.created_at,
        coalesce(facts.won_at, facts.lost_at, as_of.as_of) as until_at
    from {{ ref('dim_deals') }} as deals
    inner join {{ ref('fct_deals') }} as facts on deals._deal_number = facts._deal_number
    cross join {{ ref('stg_as_of') }} as as_of
),

heard as (
    select
        contacts.deal_number,
        max(contacts.occurred_at) as last_heard_at
    from {{ ref('int_indicator_contacts') }} as contacts
    inner join deals on contacts.deal_number = deals.deal_number and contacts.known_at <= deals.until_at
    where contacts.is_two_way
    group by contacts.deal_number
),

known as (
    select
        deals.*,
        case when tells_contacts.crm is not null then coalesce(heard.last_heard_at, deals.created_at) end as last_heard_at,
        tells_deciders.crm is not null as is_decider_told,
        deciders.changed_at as decider_at
    from deals
    left join heard on deals.deal_number = heard.deal_number
    left join {{ ref('ind_decision_maker_involved') }} as deciders on deals.deal_id = deciders.deal_id
    left join {{ ref('int_capabilities_found') }} as tells_contacts
        on deals.crm = tells_contacts.crm and tells_contacts.capability = 'activity'
    left join {{ ref('int_capabilities_found') }} as tells_deciders
        on deals.crm = tells_deciders.crm and tells_deciders.capability = 'decision_maker'
)

select
    known.deal_number,
    known.until_at,
    known.last_heard_at,
    known.is_decider_told,
    known.decider_at,
    {{ days_between('known.last_heard_at', 'known.until_at') }} as silence_days,
    coalesce({{ declared }}, own.norm_days, overall.norm_days) as silence_norm_days,
    coalesce({{ declared }}, own.longest_days, overall.longest_days) as silence_longest_days
from known
left join {{ ref('int_loss_silence_norms') }} as own
    on
        known.segment = own.segment
        and cast(known.until_at as date) >= own.valid_from
        and cast(known.until_at as date) < own.valid_to
left join {{ ref('int_loss_silence_norms') }} as overall
    on
        overall.segment = '(all)'
        and cast(known.until_at as date) >= overall.valid_from
        and cast(known.until_at as date) < overall.valid_to
