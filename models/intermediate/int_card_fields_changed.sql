{{ config(materialized='incremental', incremental_strategy='by_deal') }}

-- Read backwards from today's card: before a field's first logged change it held that change's old value, and one
-- that the CRM logs but that never changed has always been as it is. A field the CRM does not log is known only
-- since the card was extracted, and nothing is known from before the log begins. filled_bits and known_bits are
-- differences: their sums up to a moment tell the card then. The sum of bits stands for a set of fields.
{% set bits = card_bits() %}
{% set columns = bits.keys() | reject('in', ['contact', 'decision_maker']) | list %}
with fields as (
    {% for column in columns %}
        select
            '{{ column }}' as field,
            {{ bits[column] }} as field_bit
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

logs as (
    select
        began.crm,
        min(began.log_began_at) as log_began_at,
        sum(fields.field_bit) as logged_bits
    from (
        select
            crm,
            field,
            min(changed_at) as log_began_at
        from {{ ref('crm_field_changes') }}
        group by crm, field
    ) as began
    inner join fields on began.field = fields.field
    group by began.crm
),

changes as (
    select
        changes.deal_id,
        changes.changed_at,
        fields.field_bit,
        case when changes.old_value <> '' then fields.field_bit else 0 end as old_bits,
        case when changes.new_value <> '' then fields.field_bit else 0 end as new_bits,
        lag(case when changes.new_value <> '' then fields.field_bit else 0 end) over log_of_field as previous_bits,
        lead(changes.changed_at) over log_of_field is null as is_last
    from {{ ref('crm_field_changes') }} as changes
    inner join fields on changes.field = fields.field
    where {{ is_touched('changes.deal_id') }}
    window log_of_field as (
        partition by changes.deal_id, changes.field
        order by changes.changed_at, changes.old_value, changes.new_value
    )
),

changed as (
    select
        deal_id,
        sum(case when is_last then field_bit else 0 end) as changed_bits,
        sum(case when previous_bits is null then old_bits else 0 end) as began_bits,
        sum(case when is_last then new_bits else 0 end) as ended_bits
    from changes
    group by deal_id
),

contacts as (
    select
        deal_id,
        min(added_at) as contact_added_at,
        min(case when is_decision_maker then added_at end) as decision_maker_added_at,
        max(case when is_decision_maker then 1 else 0 end) as decision_makers
    from {{ ref('crm_deal_contacts') }}
    where {{ is_touched('deal_id') }}
    group by deal_id
),

cards as (
    select
        deals.deal_id,
        deals.created_at,
        deals._extracted_at,
        greatest(deals.created_at, coalesce(logs.log_began_at, deals.created_at)) as log_begins_at,
        cast(coalesce(logs.logged_bits, 0) as integer) as logged_bits,
        cast(coalesce(changed.changed_bits, 0) as integer) as changed_bits,
        cast(coalesce(changed.began_bits, 0) as integer) as began_bits,
        cast(coalesce(changed.ended_bits, 0) as integer) as ended_bits,
        0
        {% for column in columns %}
            + case when cast(deals.{{ column }} as {{ dbt.type_string() }}) <> '' then {{ bits[column] }} else 0 end
        {% endfor %}
            as card_bits,
        {{ bits.values() | sum - bits['contact'] - bits['decision_maker'] }} as all_bits
    from {{ ref('crm_deals') }} as deals
    left join logs on deals.crm = logs.crm
    left join changed on deals.deal_id = changed.deal_id
    where
        not deals.is_deleted
        and {{ is_touched('deals.deal_id') }}
),

people as (
    select
        deals.deal_id,
        deals.created_at,
        deals._extracted_at,
        contacts.deal_id is not null as has_contact,
        coalesce(contacts.decision_makers, 0) = 1 as has_decision_maker,
        contacts.contact_added_at,
        contacts.decision_maker_added_at
    from {{ ref('crm_deals') }} as deals
    inner join (select distinct crm from {{ ref('crm_deal_contacts') }}) as given on deals.crm = given.crm
    left join contacts on deals.deal_id = contacts.deal_id
    where
        not deals.is_deleted
        and {{ is_touched('deals.deal_id') }}
),

moments as (
    select
        deal_id,
        log_begins_at as changed_at,
        (card_bits & logged_bits) - (card_bits & changed_bits) + began_bits as filled_bits,
        logged_bits as known_bits
    from cards
    union all
    select
        deal_id,
        _extracted_at as changed_at,
        -- what the card shows and the log does not tell
        card_bits - (card_bits & logged_bits) + (card_bits & changed_bits) - ended_bits as filled_bits,
        all_bits - logged_bits as known_bits
    from cards
    union all
    select
        deal_id,
        changed_at,
        new_bits - coalesce(previous_bits, old_bits) as filled_bits,
        0 as known_bits
    from changes
    where deal_id in (select deal_id from cards)
    {% for person in ['contact', 'decision_maker'] %}
        union all
        select
            deal_id,
            coalesce({{ person }}_added_at, case when has_{{ person }} then _extracted_at else created_at end)
                as changed_at,
            case when has_{{ person }} then {{ bits[person] }} else 0 end as filled_bits,
            case when has_{{ person }} and {{ person }}_added_at is null then {{ bits[person] }} else 0 end
                as known_bits
        from people
        union all
        select
            deal_id,
            created_at as changed_at,
            0 as filled_bits,
            case when has_{{ person }} and {{ person }}_added_at is null then 0 else {{ bits[person] }} end
                as known_bits
        from people
    {% endfor %}
)

select
    deal_id,
    changed_at,
    cast(filled_bits as integer) as filled_bits,
    cast(known_bits as integer) as known_bits,
    (select newest_load_id from {{ ref('stg_as_of') }}) as _load_id
from moments
where filled_bits <> 0 or known_bits <> 0
