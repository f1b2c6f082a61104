{{ config(materialized='table') }}

-- From won revenue down to what people do: which figure serves which, how strongly by what was measured, and where in
-- the ledger that stands. Shares are of the stays that ended in the last twelve months.
with stays as (
    select
        visits.stage_id,
        visits.exit_type,
        visits.days_in_stage
    from {{ ref('fct_stage_visits') }} as visits
    inner join {{ ref('dim_stages') }} as stages on visits.stage_id = stages.stage_id
    cross join {{ ref('stg_as_of') }} as as_of
    where
        coalesce(stages.phase, '') <> 'onboarding' and not stages.is_won and not stages.is_lost
        and stages.position is not null
        and visits.exited_at >= {{ dbt.dateadd('month', -12, 'as_of.as_of') }}
),

rates as (
    select
        stage_id,
        count(*) as ended,
        sum(case when exit_type = 'advanced' then 1 else 0 end) as advanced,
        avg(days_in_stage) as days_in_stage,
        stddev_samp(days_in_stage) / sqrt(count(days_in_stage)) as error
    from stays
    group by stage_id
),

ledger as (
    select * from {{ ref('indicator_ledger') }}
    where segment = '(all)'
),

edges as (
    {% for child, words in {
        'won_deals': 'revenue is won deals times what each is worth',
        'amount_per_won_deal': 'revenue is won deals times what each is worth',
    }.items() %}
        select
            'won_revenue' as parent,
            '{{ child }}' as child,
            'identity' as kind,
            cast(null as {{ dbt.type_string() }}) as stage_id,
            '{{ words }}' as measure,
            cast(null as double) as strength,
            cast(null as double) as strength_low,
            cast(null as double) as strength_high,
            cast(null as bigint) as n,
            cast(null as {{ dbt.type_string() }}) as verdict,
            cast(null as {{ dbt.type_string() }}) as ledger_id
        union all
    {% endfor %}
    select
        'won_deals' as parent,
        'conversion:' || stage_id as child,
        'stage' as kind,
        stage_id,
        'share of stays that ended by advancing' as measure,
        advanced / cast(ended as double) as strength,
        {{ wilson_low('advanced', 'ended') }} as strength_low,
        {{ wilson_high('advanced', 'ended') }} as strength_high,
        ended as n,
        cast(null as {{ dbt.type_string() }}) as verdict,
        cast(null as {{ dbt.type_string() }}) as ledger_id
    from rates
    union all
    select
        'won_deals' as parent,
        'days:' || stage_id as child,
        'stage' as kind,
        stage_id,
        'mean days of stays that ended' as measure,
        days_in_stage as strength,
        days_in_stage - 1.645 * error as strength_low,
        days_in_stage + 1.645 * error as strength_high,
        ended as n,
        cast(null as {{ dbt.type_string() }}) as verdict,
        cast(null as {{ dbt.type_string() }}) as ledger_id
    from rates
    union all
    select
        case when landmark = '(all)' then 'won_deals' else 'conversion:' || stage_id end as parent,
        indicator as child,
        influence as kind,
        case when landmark <> '(all)' then stage_id end as stage_id,
        'odds ratio to win, for one standard deviation more' as measure,
        odds_ratio as strength,
        odds_ratio_low as strength_low,
        odds_ratio_high as strength_high,
        ended_deals as n,
        verdict,
        ledger_id
    from ledger
    where landmark = '(all)' or landmark = 'stage_{{ var("indicator_stage_days") | max }}'
)

select
    parent || ' < ' || child as edge_id,
    *
from edges
