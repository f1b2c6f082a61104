{{ config(meta={'dagster': {'ref': {'name': 'deal_risk_reasons'}}}) }}

-- The parts that people are shown are all there is to a score, and every open deal with a score has them;
-- chances of one deal do not contradict each other.
with summed as (
    select
        deal_id,
        sum(case when outcome = 'win_90d' then contribution end) as win_90d,
        sum(case when outcome = 'lost_30d' then contribution end) as lost_30d,
        sum(case when outcome = 'win_ever' then contribution end) as win_ever
    from {{ ref('deal_risk_reasons') }}
    group by deal_id
)

select risk.deal_id
from {{ ref('deal_risk') }} as risk
left join summed on risk.deal_id = summed.deal_id
where
    {% for outcome in ['win_90d', 'lost_30d', 'win_ever'] %}
        coalesce(abs(risk.score_{{ outcome }} - summed.{{ outcome }}) > 0.000000001, risk.score_{{ outcome }} is not null)
        or abs(risk.p_{{ outcome }} - {{ chance_of('summed.' ~ outcome) }}) > 0.000000001
        or
    {% endfor %}
    risk.p_win_90d > risk.p_win_ever + 0.000000001
    or risk.p_win_90d_high > risk.p_win_ever_high + 0.000000001
    or risk.p_win_ever + risk.p_lost_30d > 1.000000001
