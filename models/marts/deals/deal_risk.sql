-- Every open deal: how likely it is won within 90 days, lost within 30, won at all, and why. A deal's scores are the sums
-- of its parts in deal_risk_reasons, and the chances are those log-odds. Null where the history is too young for any deal
-- to have been watched that long.
{% set outcomes = ['win_90d', 'lost_30d', 'win_ever'] %}
{% set told = 8 %}
with sums as (
    select
        deal_number,
        cast(sum(case when part not in ('win_90d', 'lost_30d') then 1 else 0 end) as integer) as parts_win_90d,
        max(days_to_end) as days_to_end,
        {% for outcome in outcomes %}
            case when count({{ outcome }}) = count(*) then sum({{ outcome }}) end as {{ outcome }},
            1.645 * sqrt(sum({{ outcome }}_variance)) as spread_{{ outcome }}{{ ',' if not loop.last }}
        {% endfor %}
    from {{ ref('int_risk_contributions') }}
    group by deal_number
),

-- what bounds a win within 90 days from below bounds a win at all
scores as (
    select
        *,
        {% for outcome in ['win_90d', 'lost_30d'] %}
            {{ outcome }} - spread_{{ outcome }} as low_{{ outcome }},
            {{ outcome }} + spread_{{ outcome }} as high_{{ outcome }},
        {% endfor %}
        case when win_ever is not null then greatest(win_ever - spread_win_ever, win_90d - spread_win_90d) end as low_win_ever,
        case when win_ever is not null then greatest(win_ever + spread_win_ever, win_90d + spread_win_90d) end as high_win_ever
    from sums
),

reasons as (
    select
        deal_id,
        {% for place in range(1, told + 1) %}
            max(case when reason_rank = {{ place }} and part <> 'base' then sentence end) as reason_{{ place }},
        {% endfor %}
        sum(case when part <> 'base' then contribution end) as told,
        max(case when part = 'base' then sentence end) as base,
        max(case when part = 'base' then contribution end) as start
    from {{ ref('deal_risk_reasons') }}
    where outcome = 'win_90d' and (reason_rank <= {{ told }} or part = 'base')
    group by deal_id
),

stages as (
    select
        known.deal_id,
        known.stage_id,
        known.entered_at,
        stages.crm_probability
    from {{ ref('int_indicator_stages_known') }} as known
    inner join {{ ref('dim_stages') }} as stages on known.stage_id = stages.stage_id
    where known.until_at is null and known.is_open_stage
)

select
    deals.deal_id,
    deals.crm || ':' || deals.pipeline as pipeline_id,
    stages.stage_id,
    deals.segment,
    deals.channel,
    deals.team,
    deals.owner_id,
    deals.amount,
    deals.currency,
    cast(floor({{ days_between('deals.created_at', 'as_of.as_of') }}) as integer) as age_days,
    cast(floor({{ days_between('stages.entered_at', 'as_of.as_of') }}) as integer) as days_in_stage,
    {% for outcome in outcomes %}
        {{ chance_of('scores.' ~ outcome) }} as p_{{ outcome }},
        {{ chance_of('scores.low_' ~ outcome) }} as p_{{ outcome }}_low,
        {{ chance_of('scores.high_' ~ outcome) }} as p_{{ outcome }}_high,
    {% endfor %}
    scores.days_to_end as expected_days_to_close,
    cast(deals.amount * {{ chance_of('scores.win_ever') }} as decimal(18, 2)) as expected_amount,
    stages.crm_probability,
    {% for outcome in outcomes %} scores.{{ outcome }} as score_{{ outcome }}, {% endfor %}
    coalesce(
        {% for place in range(1, told + 1) %} coalesce(reasons.reason_{{ place }} || '; ', '') || {% endfor %}
        case
            when scores.parts_win_90d > {{ told + 1 }}
                then
                    'smaller parts: ' || cast(scores.parts_win_90d - {{ told + 1 }} as {{ dbt.type_string() }}) || ', their sum '
                    || {{ odds_moved('scores.win_90d - reasons.start - reasons.told') }} || ' the odds; '
            else ''
        end || reasons.base,
        'too young to tell: no deal has been watched for 90 days'
    ) as reasons,
    cast(as_of.as_of as date) as as_of
from {{ ref('dim_deals') }} as deals
cross join {{ ref('stg_as_of') }} as as_of
left join scores on deals._deal_number = scores.deal_number
left join stages on deals.deal_id = stages.deal_id
left join reasons on deals.deal_id = reasons.deal_id
where deals.status = 'open'
