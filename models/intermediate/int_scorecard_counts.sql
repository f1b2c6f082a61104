{{ config(materialized='table') }}
{%- set periods = [90, 365] %}

-- The scorecard's sums of each owner, period and segment, and of all segments. What seller_roles have to do is theirs;
-- steps of other roles on their deals are counted apart. Beside the steps done, and done in time, stands how many anybody
-- would have had: the share of all owners in the same segment and step. Beside the card and the contacts, the mean of all
-- owners' deals of the segment.
with periods as (
    {% for days in periods %}
        select
            {{ days }} as period_days,
            {{ dbt.dateadd('day', -1 * days, 'as_of') }} as starts_at,
            as_of as ends_at
        from {{ ref('stg_as_of') }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

worked as (
    select
        periods.period_days,
        deals.owner_id,
        deals.segment,
        deals.deal_id
    from {{ ref('dim_deals') }} as deals
    inner join {{ ref('fct_deals') }} as facts on deals._deal_number = facts._deal_number
    inner join periods
        on
            deals.created_at < periods.ends_at
            and coalesce(facts.won_at, facts.lost_at, periods.ends_at) > periods.starts_at
),

cards as (
    select
        deal_id,
        -- unknown at the end is unknown
        {{ null_by('max_by', 'completeness', 'changed_at', -1) }} as completeness
    from {{ ref('fct_card_completeness') }}
    where changed_at <= (select as_of from {{ ref('stg_as_of') }})
    group by deal_id
),

due as (
    select
        periods.period_days,
        steps.owner_id,
        steps.segment,
        steps.step,
        steps.role in ('{{ var("seller_roles") | join("', '") }}') as is_sellers,
        case when steps.is_on_time then 1.0 else 0.0 end as is_on_time,
        case when steps.status in ('done', 'done_late') then 1.0 else 0.0 end as is_done
    from {{ ref('fct_journey_steps') }} as steps
    inner join periods on steps.due_at > periods.starts_at and steps.due_at <= periods.ends_at
    where steps.is_on_time is not null
),

shares as (
    select
        period_days,
        segment,
        step,
        avg(is_on_time) as share_on_time,
        avg(is_done) as share_done
    from due
    group by period_days, segment, step
),

steps as (
    select
        due.period_days,
        due.owner_id,
        due.segment,
        due.is_sellers,
        count(*) as due,
        sum(due.is_on_time) as on_time,
        sum(shares.share_on_time) as expected_on_time,
        sum(due.is_done) as done,
        sum(shares.share_done) as expected_done
    from due
    inner join shares
        on due.period_days = shares.period_days and due.segment = shares.segment and due.step = shares.step
    group by due.period_days, due.owner_id, due.segment, due.is_sellers
),

results as (
    select
        periods.period_days,
        given.owner_id,
        given.segment,
        count(*) as closed,
        sum(given.is_won) as wins,
        sum(given.expected_win) as expected_wins,
        sum(given.expected_win * (1 - given.expected_win)) as information
    from {{ ref('int_deals_given') }} as given
    inner join periods on given.ended_at > periods.starts_at and given.ended_at <= periods.ends_at
    group by periods.period_days, given.owner_id, given.segment
),

contacts as (
    select
        periods.period_days,
        coalesce(contacts.owner_id, deals.owner_id) as owner_id,
        deals.segment,
        count(*) as contacts
    from {{ ref('int_indicator_contacts') }} as contacts
    inner join {{ ref('dim_deals') }} as deals on contacts.deal_number = deals._deal_number
    inner join periods on contacts.occurred_at > periods.starts_at and contacts.occurred_at <= periods.ends_at
    where contacts.is_touch
    group by periods.period_days, coalesce(contacts.owner_id, deals.owner_id), deals.segment
),

measures as (
    select
        worked.period_days,
        worked.owner_id,
        worked.segment,
        'deals' as measure,
        count(*) as value
    from worked
    group by worked.period_days, worked.owner_id, worked.segment
    union all
    select
        worked.period_days,
        worked.owner_id,
        worked.segment,
        'completeness' as measure,
        sum(cards.completeness) as value
    from worked
    inner join cards on worked.deal_id = cards.deal_id and cards.completeness is not null
    group by worked.period_days, worked.owner_id, worked.segment
    union all
    select
        worked.period_days,
        worked.owner_id,
        worked.segment,
        'cards' as measure,
        count(*) as value
    from worked
    inner join cards on worked.deal_id = cards.deal_id and cards.completeness is not null
    group by worked.period_days, worked.owner_id, worked.segment
    {% for measure in ['due', 'on_time', 'expected_on_time', 'done', 'expected_done'] %}
        union all
        select
            period_days,
            owner_id,
            segment,
            case when is_sellers then 'steps_{{ measure }}' else 'others_{{ measure }}' end as measure,
            {{ measure }} as value
        from steps
    {% endfor %}
    {% for measure in ['closed', 'wins', 'expected_wins', 'information'] %}
        union all
        select
            period_days,
            owner_id,
            segment,
            '{{ measure }}' as measure,
            {{ measure }} as value
        from results
    {% endfor %}
    union all
    select
        period_days,
        owner_id,
        segment,
        'contacts' as measure,
        contacts as value
    from contacts
),

-- what the owner's deals would have at the mean of all deals of the segment
norms as (
    select
        period_days,
        segment,
        sum(case when measure = 'completeness' then value end)
        / nullif(sum(case when measure = 'cards' then value end), 0) as completeness_a_card,
        sum(case when measure = 'contacts' then value end)
        / nullif(cast(sum(case when measure = 'deals' then value end) as double), 0) as contacts_a_deal
    from measures
    where owner_id is not null
    group by period_days, segment
),

normed as (
    select * from measures
    union all
    select
        measures.period_days,
        measures.owner_id,
        measures.segment,
        'expected_' || case measures.measure when 'cards' then 'completeness' else 'contacts' end as measure,
        measures.value * case measures.measure when 'cards' then norms.completeness_a_card else norms.contacts_a_deal end as value
    from measures
    inner join norms on measures.period_days = norms.period_days and measures.segment = norms.segment
    where measures.measure in ('cards', 'deals')
),

sliced as (
    select * from normed
    union all
    select
        period_days,
        owner_id,
        '(all)' as segment,
        measure,
        value
    from normed
)

select
    {% for measure in [
        'deals', 'cards', 'steps_due', 'steps_done', 'steps_on_time', 'others_due', 'others_on_time', 'contacts', 'closed', 'wins'
    ] %}
        cast(sum(case when measure = '{{ measure }}' then value else 0 end) as bigint) as {{ measure }},
    {% endfor %}
    {% for measure in [
        'completeness', 'expected_completeness', 'expected_contacts', 'steps_expected_done', 'steps_expected_on_time',
        'expected_wins', 'information'
    ] %}
        cast(sum(case when measure = '{{ measure }}' then value else 0 end) as double) as {{ measure }},
    {% endfor %}
    period_days,
    owner_id,
    segment
from sliced
where owner_id is not null
group by period_days, owner_id, segment
