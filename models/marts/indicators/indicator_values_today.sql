{{ config(materialized='table') }}
{%- do indicator_refs() %}

-- Every indicator of every open deal at as_of, beside what is just good. Made anew each night: the clock moves all of it.
with moments as (
    select
        deals.deal_id,
        deals._deal_number as deal_number,
        deals.crm,
        deals.segment,
        deals.owner_id,
        deals.team,
        deals.created_at,
        known.stage_id,
        known.phase,
        stages.stage,
        as_of.as_of
    from {{ ref('dim_deals') }} as deals
    cross join {{ ref('stg_as_of') }} as as_of
    inner join {{ ref('int_indicator_stages_known') }} as known
        on deals._deal_number = known.deal_number and known.until_at is null and known.is_open_stage
    inner join {{ ref('int_stages_completed') }} as stages on known.stage_id = stages.stage_id
    where deals.status = 'open'
),

sampled as (
    {{ sampled_indicators(
        'moments',
        'as_of',
        ['deal_id', 'segment', 'owner_id', 'team', 'created_at', 'stage_id', 'as_of'],
        is_today=true
    ) }}
),

compared as (
    select
        sampled.*,
        indicators.direction,
        coalesce(indicators.declared_norm, own.norm, overall.norm) as norm,
        case
            when indicators.declared_norm is not null then 'declared'
            when own.norm is not null then 'learnt in the segment'
            when overall.norm is not null then 'learnt in all segments'
            else 'too few wins'
        end as norm_source
    from sampled
    inner join {{ ref('dim_indicators') }} as indicators on sampled.indicator = indicators.indicator
    left join {{ ref('int_indicator_norms') }} as own
        on
            sampled.indicator = own.indicator
            and sampled.stage_id = own.stage_id
            and sampled.segment = own.segment
    left join {{ ref('int_indicator_norms') }} as overall
        on
            sampled.indicator = overall.indicator
            and sampled.stage_id = overall.stage_id
            and overall.segment = '(all)'
)

select
    deal_id,
    indicator,
    stage_id,
    segment,
    owner_id,
    team,
    value,
    norm,
    norm_source,
    case when direction = 'lower' then value <= norm else value >= norm end as is_good,
    reason as not_measurable_reason,
    case
        when grows_per_day > 0 and value > norm
            then greatest(changed_at, {{ dbt.dateadd(
                'second', 'cast(-86400 * (value - norm) / grows_per_day as ' ~ dbt.type_bigint() ~ ')', 'as_of'
            ) }})
        else coalesce(changed_at, created_at)
    end as since_at,
    as_of
from compared
