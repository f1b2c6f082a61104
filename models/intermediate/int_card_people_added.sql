{{ config(materialized='incremental', incremental_strategy='by_deal', by='deal_number') }}

-- The people on a card, each since they were added. One whose time nobody wrote down is known only since an extract
-- first showed them, and until somebody is known nobody can say that there was none; that a deal has nobody is known
-- from its creation on, of a CRM that gives people, and says of some whether they decide.
{% set people = {'contact': 'true', 'decision_maker': 'is_decision_maker'} %}
with now as (
    select
        {% for person, is_person in people.items() %}
            max(case when {{ is_person }} then 1 else 0 end) = 1 as has_{{ person }},
            max(case when {{ is_person }} and added_at is null then 1 else 0 end) = 1 as has_undated_{{ person }},
            min(case when {{ is_person }} then added_at end) as {{ person }}_added_at,
        {% endfor %}
        deal_id
    from {{ ref('crm_deal_contacts') }}
    where {{ is_touched('deal_id') }}
    group by deal_id
),

seen as (
    select
        {% for person, is_person in people.items() %}
            min(case when {{ is_person }} then _extracted_at end) as {{ person }}_seen_at,
        {% endfor %}
        deal_id
    from {{ ref('crm_deal_contact_versions') }}
    where {{ is_touched('deal_id') }}
    group by deal_id
),

cards as (
    select
        {% for person in people %}
            coalesce(now.has_{{ person }}, false) as has_{{ person }},
            {% set shown_at = 'greatest(seen.' ~ person ~ '_seen_at, deals.created_at)' %}
            {% set first_at = 'least(coalesce(now.' ~ person ~ '_added_at, ' ~ shown_at ~ '), ' ~ shown_at ~ ')' %}
            case when now.has_undated_{{ person }} then {{ first_at }} else now.{{ person }}_added_at end as {{ person }}_at,
            case when now.has_undated_{{ person }} then {{ first_at }} else deals.created_at end as {{ person }}_known_at,
        {% endfor %}
        true as gives_contact,
        deciding.crm is not null as gives_decision_maker,
        numbers.deal_number
    from {{ ref('crm_deals') }} as deals
    inner join {{ ref('int_deals_numbered') }} as numbers on deals.deal_id = numbers.deal_id
    inner join {{ ref('int_capabilities_found') }} as given on deals.crm = given.crm and given.capability = 'contact'
    left join {{ ref('int_capabilities_found') }} as deciding
        on deals.crm = deciding.crm and deciding.capability = 'decision_maker'
    left join now on deals.deal_id = now.deal_id
    left join seen on deals.deal_id = seen.deal_id
    where
        not deals.is_deleted
        and {{ is_touched('deals.deal_id') }}
),

moments as (
    {% for person in people %}
        select
            deal_number,
            {{ person }}_at as changed_at,
            {{ card_bits()[person] }} as filled_bits,
            0 as known_bits
        from cards
        where has_{{ person }}
        union all
        select
            deal_number,
            {{ person }}_known_at as changed_at,
            0 as filled_bits,
            {{ card_bits()[person] }} as known_bits
        from cards
        where gives_{{ person }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    *,
    (select newest_load_id from {{ ref('stg_as_of') }}) as _load_id
from moments
