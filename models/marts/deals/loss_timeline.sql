-- What turned bad in each lost deal before it was lost, and on which day it could be seen: beyond the deadline or the norm
-- then in force. How it ended, not why: much of it is as usual in deals that were won. fact_table holds the fact.
with deals as (
    select * from {{ ref('int_loss_deals') }}
),

steps as (
    select
        deals.deal_id,
        cast(steps.due_at as date) as turned_on,
        steps.step as thing,
        {{ days_between('steps.due_at', 'least(deals.until_at, coalesce(steps.done_at, deals.until_at))') }} as value,
        cast(0 as double) as norm,
        labels.step_label || case
            when steps.done_at < deals.until_at then ': done {} late'
            else ': {} past its deadline, and not done'
        end as words,
        'fct_journey_steps' as fact_table
    from {{ ref('fct_journey_steps') }} as steps
    inner join deals on steps._deal_number = deals.deal_number
    inner join {{ ref('int_journey_steps_labelled') }} as labels on steps.step = labels.step
    where
        steps.due_at < deals.until_at
        and (steps.done_at is null or steps.done_at > steps.due_at)
        and steps.not_measurable_reason is null
        and steps.phase <> 'onboarding'
),

-- where it costs deals of that stage: in an early one most won deals have none either
deciders as (
    select
        deals.deal_id,
        cast(causes.due_at as date) as turned_on,
        'decision_maker_involved' as thing,
        cast(0 as double) as value,
        cast(1 as double) as norm,
        'in its last stage without anybody who decides' as words,
        'ind_decision_maker_involved' as fact_table
    from {{ ref('int_loss_causes') }} as causes
    inner join deals on causes.deal_number = deals.deal_number
    where causes.cause = 'no_decision_maker' and causes.share_low > 0
),

silences as (
    select
        deal_id,
        cast(silent_from_at as date) as turned_on,
        'silence_days' as thing,
        silence_days as value,
        cast(silence_norm_days as double) as norm,
        'the client was not heard, in the end for {}' as words,
        'ind_silence_days' as fact_table
    from deals
    where is_silent
),

stays_timed as (
    select
        steps.deal_id,
        steps.changed_at,
        steps.value,
        least(
            deals.until_at,
            coalesce(lead(steps.changed_at) over (partition by steps.deal_id order by steps.changed_at), deals.until_at)
        ) as until_at
    from {{ ref('ind_stage_days_past_norm') }} as steps
    inner join deals on steps.deal_id = deals.deal_id
    where steps.changed_at < deals.until_at
),

stays as (
    select
        deal_id,
        cast(case
            when value >= 0 then changed_at
            else {{ dbt.dateadd('second', 'cast(-86400 * value as ' ~ dbt.type_bigint() ~ ')', 'changed_at') }}
        end as date) as turned_on,
        'stage_days_past_norm' as thing,
        value + {{ days_between('changed_at', 'until_at') }} as value,
        cast(0 as double) as norm,
        'in its stage for longer than the norm, by {} when it left' as words,
        'ind_stage_days_past_norm' as fact_table
    from stays_timed
    where value + {{ days_between('changed_at', 'until_at') }} > 0
),

changes as (
    select
        deals.deal_id,
        cast(changes.changed_at as date) as turned_on,
        case changes.direction
            when 'pushed' then 'close_date_pushes'
            when 'decreased' then 'amount_cut'
            else 'owner_changes'
        end as thing,
        case changes.direction
            when 'pushed' then cast(changes.days_moved as double)
            when 'decreased' then cast(-changes.amount_change as double)
        end as value,
        cast(0 as double) as norm,
        case changes.direction
            when 'pushed' then 'expected close date pushed by {}'
            when 'decreased' then 'amount cut by ' || {{ whole('-changes.amount_change') }} || coalesce(' ' || deals.currency, '')
            else 'handed to another owner'
        end as words,
        'fct_deal_changes' as fact_table
    from {{ ref('fct_deal_changes') }} as changes
    inner join deals on changes.deal_id = deals.deal_id and changes.changed_at < deals.until_at
    where changes.direction in ('pushed', 'decreased', 'handed_over')
),

turned as (
    select * from steps
    union all
    select * from deciders
    union all
    select * from silences
    union all
    select * from stays
    union all
    select * from changes
)

select
    deal_id,
    turned_on,
    thing,
    round(value, 1) as value,
    norm,
    cast(turned_on as {{ dbt.type_string() }}) || ' ' || replace(words, '{}', coalesce({{ time_in_words('value') }}, '')) as sentence,
    fact_table,
    cast((select as_of from {{ ref('stg_as_of') }}) as date) as as_of
from turned
