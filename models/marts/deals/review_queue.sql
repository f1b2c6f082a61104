-- What a person has to decide, and what was decided. An open deal asks up to two questions: which segment, where no
-- rule knows one, and whether it counts in the norms, where it is odd. To leave it out of the norms settles both.
with cases as (
    select
        deal_id,
        'segment' as question,
        segment_reason as reason,
        created_at as odd_since_at
    from {{ ref('dim_deals') }}
    where status = 'open' and segment = 'atypical'
    union all
    select
        deal_id,
        'norms' as question,
        reason,
        odd_since_at
    from {{ ref('int_deals_oddities') }}
),

summed as (
    select
        deal_id,
        {{ dbt.listagg('reason', "'; '", 'order by reason') }} as reasons,
        min(odd_since_at) as first_seen_at,
        max(case when question = 'segment' then 1 else 0 end) = 1 as asks_segment,
        max(case when question = 'norms' then 1 else 0 end) = 1 as asks_norms
    from cases
    group by deal_id
)

select
    deals.deal_id,
    deals.deal_name,
    deals.owner_id,
    deals.team,
    deals.segment,
    deals.segment_reason,
    coalesce(summed.reasons, 'no longer odd') as reasons,
    case
        when summed.asks_segment and summed.asks_norms then 'Which segment? Does it count in the norms?'
        when summed.asks_segment then 'Which segment?'
        when summed.asks_norms then 'Does it count in the norms?'
    end as what_to_decide,
    case
        when summed.asks_segment and coalesce(reviewed.norms_verdict, '') <> 'exclude_from_norms' then 'open'
        when summed.asks_norms and reviewed.norms_verdict is null then 'open'
        else 'decided'
    end as status,
    reviewed.verdict,
    reviewed.decided_by,
    reviewed.decided_on,
    deals.amount,
    deals.currency,
    cast({{ dbt.datediff('summed.first_seen_at', 'as_of.as_of', 'day') }} as integer) as age_days,
    summed.first_seen_at,
    as_of.as_of
from {{ ref('dim_deals') }} as deals
cross join {{ ref('stg_as_of') }} as as_of
left join summed on deals.deal_id = summed.deal_id
left join {{ ref('int_deals_reviewed') }} as reviewed on deals.deal_id = reviewed.deal_id
where summed.deal_id is not null or reviewed.deal_id is not null
