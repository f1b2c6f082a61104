-- Norms that were in force from a month on, learnt from deals that had ended before it. Not additive. A declared norm
-- goes before a learnt one; both are shown.
with learnt as (
    select
        valid_from,
        segment,
        subject,
        subject_id,
        {% for outcome in ['won', 'lost'] %}
            coalesce(max(case when outcome = '{{ outcome }}' then case_count end), 0) as {{ outcome }}_cases,
            coalesce(max(case when outcome = '{{ outcome }}' then timed_count end), 0) as {{ outcome }}_done,
            {% for column in ['p20', 'p50', 'p50_low', 'p50_high', 'p80', 'p80_low', 'p80_high'] %}
                max(case when outcome = '{{ outcome }}' then days_{{ column }} end) as {{ outcome }}_days_{{ column }},
            {% endfor %}
        {% endfor %}
        coalesce(max(case when outcome = 'won' then overall_timed_count end), 0) as all_won_done,
        max(case when outcome = 'won' then shrunk_days_p50 end) as shrunk_days_p50,
        max(case when outcome = 'won' then shrunk_days_p80 end) as shrunk_days_p80
    from {{ ref('int_norm_quantiles') }}
    group by valid_from, segment, subject, subject_id
),

began as (
    select min(valid_from) as first_month from learnt
),

judged as (
    select
        learnt.*,
        coalesce(learnt.valid_from, declared.valid_from) as in_force_from,
        coalesce(learnt.segment, declared.segment) as of_segment,
        coalesce(learnt.subject, declared.subject) as of_subject,
        coalesce(learnt.subject_id, declared.subject_id) as of_subject_id,
        declared.declared_business_days,
        -- a stay always ends, and a step after the win is known only when it is done
        coalesce(learnt.subject, declared.subject) = 'step'
        and coalesce(learnt.subject_id, declared.subject_id) not in (
            select step from {{ ref('journey_map') }}
            where phase = 'onboarding'
        ) as has_share,
        case
            when learnt.all_won_done < {{ var('norm_min_cases') }} or learnt.valid_from is null then 'too few cases'
            when learnt.valid_from < {{ dbt.dateadd('month', var('norm_min_months') - 1, 'began.first_month') }}
                then 'too young'
            when learnt.shrunk_days_p80 is null then 'not reached'
            else 'learnt'
        end as learnt_source
    from learnt
    full outer join {{ ref('int_norms_declared') }} as declared
        on
            learnt.valid_from = declared.valid_from
            and learnt.segment = declared.segment
            and learnt.subject = declared.subject
            and learnt.subject_id = declared.subject_id
    cross join began
)

select
    of_segment || '|' || of_subject || '|' || of_subject_id || '|' || cast(in_force_from as {{ dbt.type_string() }})
        as norm_id,
    of_segment as segment,
    of_subject as subject,
    case when of_subject = 'stage' then of_subject_id end as stage_id,
    case when of_subject = 'step' then of_subject_id end as step,
    case when declared_business_days is not null then 'declared' else learnt_source end as norm_source,
    coalesce(declared_business_days, case when learnt_source = 'learnt' then cast(shrunk_days_p80 as double) end)
        as norm_business_days,
    declared_business_days,
    case when learnt_source = 'learnt' then cast(shrunk_days_p80 as double) end as learnt_business_days,
    case when learnt_source = 'learnt' then cast(shrunk_days_p50 as double) end as learnt_business_days_p50,
    {% for outcome in ['won', 'lost'] %}
        cast(coalesce({{ outcome }}_cases, 0) as bigint) as {{ outcome }}_cases,
        cast(coalesce({{ outcome }}_done, 0) as bigint) as {{ outcome }}_done,
        {% for column in ['p20', 'p50', 'p50_low', 'p50_high', 'p80', 'p80_low', 'p80_high'] %}
            cast({{ outcome }}_days_{{ column }} as integer) as {{ outcome }}_days_{{ column }},
        {% endfor %}
        case when has_share then {{ outcome }}_done / nullif({{ outcome }}_cases, 0) end
            as {{ outcome }}_share_done,
        case when has_share then {{ wilson_low(outcome ~ '_done', outcome ~ '_cases') }} end
            as {{ outcome }}_share_done_low,
        case when has_share then {{ wilson_high(outcome ~ '_done', outcome ~ '_cases') }} end
            as {{ outcome }}_share_done_high,
    {% endfor %}
    in_force_from as valid_from,
    lead(in_force_from) over (partition by of_segment, of_subject, of_subject_id order by in_force_from) as valid_to
from judged
