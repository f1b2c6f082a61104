-- How long a cohort stays, those still there counted for what they are: the age by which half, and four fifths, have
-- left (Kaplan-Meier over all ways out). Null where so many have not left yet, with the reason. Beside it the norm that
-- was in force when the cohort entered. Not additive.
with summed as (
    select
        stage_id,
        segment,
        cohort_month,
        clock,
        max(at_risk) as stays,
        sum(advanced + lost + moved_back + handed_off) as ended,
        min(case when survival <= 0.5 then age_days end) as p50_days,
        min(case when survival <= 0.2 then age_days end) as p80_days
    from {{ ref('cohort_stage_curves') }}
    group by stage_id, segment, cohort_month, clock
)

select
    summed.stage_id,
    summed.segment,
    summed.cohort_month,
    summed.clock,
    cast(summed.stays as bigint) as stays,
    cast(summed.ended as bigint) as ended,
    cast(summed.p50_days as integer) as median_days,
    cast(summed.p80_days as integer) as p80_days,
    case when summed.p80_days is null then 'more than a fifth are still there' end as p80_unknown_because,
    case when summed.clock = 'business' then norms.norm_business_days end as norm_days,
    case when summed.clock = 'business' then summed.p80_days - norms.norm_business_days end as p80_days_over_norm,
    (select as_of from {{ ref('stg_as_of') }}) as as_of
from summed
left join {{ ref('norms') }} as norms
    on
        norms.subject = 'stage'
        and summed.stage_id = norms.stage_id
        and summed.segment = norms.segment
        and summed.cohort_month >= norms.valid_from
        and summed.cohort_month < coalesce(norms.valid_to, cast('9999-12-31' as date))
