{{ config(materialized='table') }}
{% set passes = 3 %}

-- What each owner was given: every deal that ended in the last year, with its owner then, and the chance to win it that
-- any owner would have had: by the stage in which they took it over, its segment, its channel and its first amount beside
-- others of the segment. Log-odds of a cell of stage and segment, drawn toward the stage by 20 deals, and of channel
-- and amount by scores sum(y - p) / (sum(p (1 - p)) + 8), {{ passes }} passes. What is not in it is the owner, and luck.
with ended as (
    select
        deals._deal_number as deal_number,
        deals.deal_id,
        deals.segment,
        deals.channel,
        deals.currency,
        case when facts.won_at is not null then 1 else 0 end as is_won,
        coalesce(facts.won_at, facts.lost_at) as ended_at,
        case when owners.deal_number is null then deals.owner_id else owners.owner_id end as owner_id,
        coalesce(owners.valid_from, deals.created_at) as given_at,
        coalesce(amounts.amount, deals.amount) as first_amount
    from {{ ref('dim_deals') }} as deals
    inner join {{ ref('fct_deals') }} as facts on deals._deal_number = facts._deal_number
    cross join {{ ref('stg_as_of') }} as as_of
    left join {{ ref('int_deal_owners_versioned') }} as owners
        on
            deals._deal_number = owners.deal_number
            and coalesce(facts.won_at, facts.lost_at) >= owners.valid_from
            and coalesce(facts.won_at, facts.lost_at) < owners.valid_to
    left join (
        select
            deal_id,
            max(old_amount) as amount
        from {{ ref('fct_deal_changes') }}
        where field = 'amount' and change_number = 1
        group by deal_id
    ) as amounts on deals.deal_id = amounts.deal_id
    where
        coalesce(facts.won_at, facts.lost_at) > {{ dbt.dateadd('day', -365, 'as_of.as_of') }}
        and not deals.is_excluded_from_norms
),

taken as (
    select
        visits._deal_number,
        max_by(visits.stage_id, visits.visit_number) as stage_id
    from {{ ref('fct_stage_visits') }} as visits
    inner join ended
        on
            visits._deal_number = ended.deal_number
            -- a deal is created in its first stage
            and (visits.entered_at <= ended.given_at or visits.visit_number = 1)
    group by visits._deal_number
),

given as (
    select
        ended.*,
        coalesce(taken.stage_id, 'unknown') as given_stage_id,
        case
            when ended.first_amount is not null
                then ntile(4) over (
                    partition by ended.segment, ended.currency, ended.first_amount is null
                    order by ended.first_amount, ended.deal_number
                )
            else 0
        end as amount_class
    from ended
    left join taken on ended.deal_number = taken._deal_number
),

counts as (
    select
        given_stage_id,
        segment,
        channel,
        amount_class,
        count(*) as deals,
        sum(is_won) as won
    from given
    group by given_stage_id, segment, channel, amount_class
),

stages as (
    select
        given_stage_id,
        (sum(won) + 1.0) / (sum(deals) + 2) as rate
    from counts
    group by given_stage_id
),

cells as (
    select
        counts.given_stage_id,
        counts.segment,
        (sum(counts.won) + 20 * max(stages.rate)) / (sum(counts.deals) + 20) as rate
    from counts
    inner join stages on counts.given_stage_id = stages.given_stage_id
    group by counts.given_stage_id, counts.segment
),

scored_0 as (
    select
        counts.*,
        ln(cells.rate / (1 - cells.rate)) as log_odds
    from counts
    inner join cells on counts.given_stage_id = cells.given_stage_id and counts.segment = cells.segment
),

{% for pass in range(1, passes + 1) %}
    scored_{{ pass }} as (
        select
            given_stage_id,
            segment,
            channel,
            amount_class,
            deals,
            won,
            log_odds
            + sum(won - deals * p) over (partition by channel) / (sum(deals * p * (1 - p)) over (partition by channel) + 8)
            + sum(won - deals * p) over (partition by amount_class)
            / (sum(deals * p * (1 - p)) over (partition by amount_class) + 8) as log_odds
        from (
            select
                *,
                1 / (1 + exp(-log_odds)) as p
            from scored_{{ pass - 1 }}
        ) as chances
    ),
{% endfor %}

expected as (
    select
        given_stage_id,
        segment,
        channel,
        amount_class,
        1 / (1 + exp(-log_odds)) as expected_win
    from scored_{{ passes }}
)

select
    given.deal_number,
    given.deal_id,
    given.owner_id,
    given.segment,
    given.is_won,
    given.ended_at,
    expected.expected_win
from given
inner join expected
    on
        given.given_stage_id = expected.given_stage_id
        and given.segment = expected.segment
        and given.channel = expected.channel
        and given.amount_class = expected.amount_class
