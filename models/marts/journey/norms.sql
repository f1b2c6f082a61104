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

declared as (
    select
        learnt.valid_from,
        learnt.segment,
        learnt.subject,
        learnt.subject_id,
        coalesce(
            max(case when declared.segment = learnt.segment then declared.business_days end),
            max(case when declared.segment = '*' then declared.business_days end)
        ) as declared_business_days
    from learnt
    inner join {{ ref('int_norms_declared') }} as declared
        on
            learnt.subject = declared.subject
            and learnt.subject_id = declared.subject_id
            and declared.segment in (learnt.segment, '*')
            and learnt.valid_from >= declared.valid_from
            and learnt.valid_from < declared.valid_to
    group by learnt.valid_from, learnt.segment, learnt.subject, learnt.subject_id
),

judged as (
    select
        learnt.*,
        declared.declared_business_days,
        -- a stay always ends, and a step after the win is known only when it is done
        learnt.subject = 'step' and learnt.subject_id not in (
            select step from {{ ref('journey_map') }}
            where phase = 'onboarding'
        ) as has_share,
        case when learnt.all_won_done >= {{ var('norm_min_cases') }} then cast(learnt.shrunk_days_p80 as double) end
            as learnt_business_days
    from learnt
    left join declared
        on
            learnt.valid_from = declared.valid_from
            and learnt.segment = declared.segment
            and learnt.subject = declared.subject
            and learnt.subject_id = declared.subject_id
)

select
    segment || '|' || subject || '|' || subject_id || '|' || cast(valid_from as {{ dbt.type_string() }}) as norm_id,
    segment,
    subject,
    case when subject = 'stage' then subject_id end as stage_id,
    case when subject = 'step' then subject_id end as step,
    case
        when declared_business_days is not null then 'declared'
        when learnt_business_days is not null then 'learnt'
        else 'too few cases'
    end as norm_source,
    coalesce(declared_business_days, learnt_business_days) as norm_business_days,
    declared_business_days,
    learnt_business_days,
    cast(shrunk_days_p50 as double) as learnt_business_days_p50,
    {% for outcome in ['won', 'lost'] %}
        cast({{ outcome }}_cases as bigint) as {{ outcome }}_cases,
        cast({{ outcome }}_done as bigint) as {{ outcome }}_done,
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
    valid_from,
    lead(valid_from) over (partition by segment, subject, subject_id order by valid_from) as valid_to
from judged
