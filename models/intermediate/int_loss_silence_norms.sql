{{ config(materialized='table') }}

-- For how long a client may not be heard. Beyond the norm a deal is silent: of twenty silences of won deals, nineteen
-- were shorter. Beyond the longest it is dead: nine in ten won deals never had one so long. From each quarter on, learnt
-- from the deals won before it; a segment of few wins reads like all together.
with won as (
    select
        deals._deal_number as deal_number,
        deals.segment,
        deals.created_at,
        facts.won_at,
        cast({{ dbt.date_trunc('quarter', 'facts.won_at') }} as date) as won_quarter
    from {{ ref('dim_deals') }} as deals
    inner join {{ ref('fct_deals') }} as facts on deals._deal_number = facts._deal_number
    where facts.won_at is not null and deals.segment <> 'atypical' and not deals.is_excluded_from_norms
),

heard as (
    select
        won.deal_number,
        contacts.occurred_at
    from won
    inner join {{ ref('int_indicator_contacts') }} as contacts
        on won.deal_number = contacts.deal_number and contacts.occurred_at between won.created_at and won.won_at
    where contacts.is_two_way
    union all
    select
        deal_number,
        created_at as occurred_at
    from won
),

silences as (
    select
        won.deal_number,
        won.segment,
        won.won_quarter,
        cast(ceil({{ days_between(
            'heard.occurred_at',
            'coalesce(lead(heard.occurred_at) over (partition by won.deal_number order by heard.occurred_at), won.won_at)'
        ) }}) as integer) as silence_days
    from won
    inner join heard on won.deal_number = heard.deal_number
),

-- each silence of a deal, and its longest
counted as (
    select
        'norm' as kind,
        won_quarter,
        segment,
        silence_days,
        count(*) as silences
    from silences
    group by won_quarter, segment, silence_days
    union all
    select
        'longest' as kind,
        won_quarter,
        segment,
        silence_days,
        count(*) as silences
    from (
        select
            deal_number,
            won_quarter,
            segment,
            max(silence_days) as silence_days
        from silences
        group by deal_number, won_quarter, segment
    ) as longest
    group by won_quarter, segment, silence_days
),

sliced as (
    select * from counted
    union all
    select
        kind,
        won_quarter,
        '(all)' as segment,
        silence_days,
        silences
    from counted
),

quarters as (
    select distinct quarter_start_date as valid_from
    from {{ ref('dim_dates') }}
    where quarter_start_date <= (select as_of from {{ ref('stg_as_of') }})
),

learnt as (
    select
        quarters.valid_from,
        sliced.kind,
        sliced.segment,
        sliced.silence_days,
        sum(sliced.silences) as silences
    from quarters
    inner join sliced on quarters.valid_from > sliced.won_quarter
    group by quarters.valid_from, sliced.kind, sliced.segment, sliced.silence_days
),

shares as (
    select
        *,
        sum(silences) over (partition by valid_from, kind, segment) as all_silences,
        sum(silences) over (partition by valid_from, kind, segment order by silence_days) as as_short
    from learnt
),

norms as (
    select
        valid_from,
        segment,
        max(case when kind = 'longest' then all_silences end) as won_deals,
        min(case when kind = 'norm' and as_short >= 0.95 * all_silences then silence_days end) as norm_days,
        min(case when kind = 'longest' and as_short >= 0.9 * all_silences then silence_days end) as longest_days
    from shares
    group by valid_from, segment
    having max(case when kind = 'longest' then all_silences end) >= 50
)

select
    valid_from,
    coalesce(lead(valid_from) over (partition by segment order by valid_from), cast('9999-12-31' as date)) as valid_to,
    segment,
    cast(won_deals as bigint) as won_deals,
    norm_days,
    longest_days
from norms
