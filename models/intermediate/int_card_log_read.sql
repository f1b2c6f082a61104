{{ config(materialized='incremental', incremental_strategy='by_deal', by='deal_number') }}

-- Read backwards from today's card: before a field's first logged change it held that change's old value, and one
-- that the CRM logs but that never changed has always been as it is. Nothing is known from before the log begins.
with cards as (
    select
        *,
        min(seen_at) over (partition by deal_number, _load_id) as first_seen_at
    from {{ ref('int_cards_seen') }}
    where {{ is_newly_built() }}
),

logged as (
    select
        numbers.deal_number,
        changes.changed_at,
        fields.field_bit,
        nullif(changes.old_value, '') as old_value,
        nullif(changes.new_value, '') as new_value
    from {{ ref('crm_field_changes') }} as changes
    inner join {{ ref('int_deals_numbered') }} as numbers on changes.deal_id = numbers.deal_id
    inner join (
        {% for column in card_columns() %}
            select
                '{{ column }}' as field,
                {{ card_bits()[column] }} as field_bit
            {{ 'union all' if not loop.last }}
        {% endfor %}
    ) as fields on changes.field = fields.field
    where {{ is_touched('changes.deal_id') }}
),

-- No log tells in which order the changes of one moment were made. Each began with what another had left, so together
-- they filled the field, emptied it or left it as it was; those that end where they began tell nothing.
netted as (
    select
        deal_number,
        changed_at,
        field_bit,
        case when count(old_value) > 0 and count(old_value) >= count(new_value) then field_bit else 0 end as old_bits,
        case when count(new_value) > 0 and count(new_value) >= count(old_value) then field_bit else 0 end as new_bits
    from logged
    group by deal_number, changed_at, field_bit
    having
        count(old_value) in (0, count(*))
        or count(old_value) <> count(new_value)
        or min(old_value) <> min(new_value)
        or max(old_value) <> max(new_value)
),

changes as (
    select
        *,
        lag(new_bits) over log_of_field as previous_bits,
        lead(changed_at) over log_of_field is null as is_last
    from netted
    window log_of_field as (partition by deal_number, field_bit order by changed_at)
),

changed as (
    select
        deal_number,
        sum(case when is_last then field_bit else 0 end) as changed_bits,
        sum(case when previous_bits is null then old_bits else 0 end) as old_bits
    from changes
    group by deal_number
),

todays as (
    select
        cards.deal_number,
        cards.crm,
        cards.created_at,
        cards.first_seen_at,
        cards.seen_at,
        cards.card_bits,
        cast(
            cards.card_bits - (cards.card_bits & coalesce(changed.changed_bits, 0)) + coalesce(changed.old_bits, 0)
            as integer
        ) as first_bits
    from cards
    left join changed on cards.deal_number = changed.deal_number
    where cards.next_seen_at is null
),

moments as (
    select
        todays.deal_number,
        greatest(todays.created_at, logs.began_at) as changed_at,
        todays.first_bits
        & case when logs.began_at > todays.created_at then logs.begun_bits else logs.logged_bits end as filled_bits,
        case
            -- it was seen before
            when logs.began_at > todays.first_seen_at then 0
            when logs.began_at > todays.created_at then logs.begun_bits
            else logs.logged_bits
        end as known_bits
    from todays
    inner join {{ ref('int_card_logs_begun') }} as logs
        on todays.crm = logs.crm and todays.created_at < logs.next_began_at
    union all
    select
        changes.deal_number,
        changes.changed_at,
        changes.new_bits - coalesce(changes.previous_bits, changes.old_bits) as filled_bits,
        0 as known_bits
    from changes
    inner join todays on changes.deal_number = todays.deal_number
    union all
    -- what the card shows and the log does not tell
    select
        changes.deal_number,
        greatest(todays.seen_at, changes.changed_at) as changed_at,
        (todays.card_bits & changes.field_bit) - changes.new_bits as filled_bits,
        0 as known_bits
    from changes
    inner join todays on changes.deal_number = todays.deal_number
    where changes.is_last
)

select
    deal_number,
    changed_at,
    cast(filled_bits as integer) as filled_bits,
    cast(known_bits as integer) as known_bits,
    (select newest_load_id from {{ ref('stg_as_of') }}) as _load_id
from moments
where filled_bits <> 0 or known_bits <> 0
