-- A norm of a month is learnt from the cases of the {{ var('norm_months') }} months before it, never from its own.
-- The shrunk distribution is the segment's cases and, as many as {{ var('norm_shrinkage') }} cases more, the share of
-- each number of days among all segments: with few cases of its own, a segment reads like all of them.
-- Quantile q is the smallest number of days within which at least the share q of the cases were done; a case that was
-- not done counts as never, so a quantile may not be reached, and is null. Its 90% interval is that of order statistics
-- (binomial ranks, normal approximation): no shape of the distribution is assumed.
{% set quantiles = [20, 50, 80] %}

with months as (
    select date_day as valid_from
    from {{ ref('dim_dates') }}
    where
        date_day = month_start_date
        and date_day <= (select as_of from {{ ref('stg_as_of') }})
),

counted as (
    select
        months.valid_from,
        cases.segment,
        cases.subject,
        cases.subject_id,
        cases.outcome,
        cases.business_days,
        cast(sum(cases.case_count) as double) as case_count
    from months
    inner join {{ ref('int_norm_cases_counted') }} as cases
        on
            months.valid_from > cases.learnt_month
            and cases.learnt_month >= {{ dbt.dateadd('month', -1 * var('norm_months'), 'months.valid_from') }}
            -- from the day on which a person ruled it out
            and months.valid_from <= coalesce(cases.excluded_from, cast('9999-12-31' as date))
    group by
        months.valid_from, cases.segment, cases.subject, cases.subject_id, cases.outcome, cases.business_days
),

groups as (
    select
        valid_from,
        segment,
        subject,
        subject_id,
        outcome,
        sum(case_count) as case_count,
        coalesce(sum(case when business_days is not null then case_count end), 0) as timed_count
    from counted
    group by valid_from, segment, subject, subject_id, outcome
),

-- every group has a row for every number of days seen in any segment
weighted as (
    select
        groups.valid_from,
        groups.segment,
        groups.subject,
        groups.subject_id,
        groups.outcome,
        groups.case_count as cases,
        groups.timed_count,
        nullif(groups.case_count, 0) as n,
        overall_groups.timed_count as overall_timed_count,
        groups.case_count + case when groups.segment = '(all)' then 0 else {{ var('norm_shrinkage') }} end as total_weight,
        overall.business_days,
        coalesce(own.case_count, 0) as case_count,
        coalesce(own.case_count, 0)
        + case
            when groups.segment = '(all)' then 0
            else {{ var('norm_shrinkage') }} * overall.case_count / overall_groups.case_count
        end as weight
    from groups
    inner join groups as overall_groups
        on
            groups.valid_from = overall_groups.valid_from
            and groups.subject = overall_groups.subject
            and groups.subject_id = overall_groups.subject_id
            and groups.outcome = overall_groups.outcome
            and overall_groups.segment = '(all)'
    left join counted as overall
        on
            groups.valid_from = overall.valid_from
            and groups.subject = overall.subject
            and groups.subject_id = overall.subject_id
            and groups.outcome = overall.outcome
            and overall.segment = '(all)'
            and overall.business_days is not null
    left join counted as own
        on
            groups.valid_from = own.valid_from
            and groups.segment = own.segment
            and groups.subject = own.subject
            and groups.subject_id = own.subject_id
            and groups.outcome = own.outcome
            and overall.business_days = own.business_days
),

ranked as (
    select
        *,
        sum(case_count) over by_days as cases_up_to,
        sum(weight) over by_days as weight_up_to
    from weighted
    window by_days as (
        partition by valid_from, segment, subject, subject_id, outcome
        order by business_days
    )
)

select
    valid_from,
    segment,
    subject,
    subject_id,
    outcome,
    max(cases) as case_count,
    max(timed_count) as timed_count,
    max(overall_timed_count) as overall_timed_count
    {%- for percent in quantiles %}
        {%- set q = percent / 100 %},
        min(case when cases_up_to >= {{ q }} * n then business_days end) as days_p{{ percent }},
        min(
            case
                when
                    cases_up_to >= {{ q }} * n - 1.645 * sqrt({{ q * (1 - q) }} * n)
                    and cases_up_to > 0
                    then business_days
            end
        ) as days_p{{ percent }}_low,
        min(
            case
                when cases_up_to >= least(
                    n, {{ q }} * n + 1.645 * sqrt({{ q * (1 - q) }} * n) + 1
                ) then business_days
            end
        ) as days_p{{ percent }}_high,
        min(case when weight_up_to >= {{ q }} * total_weight * (1 - 1e-12) then business_days end)
            as shrunk_days_p{{ percent }}
    {%- endfor %}
from ranked
group by valid_from, segment, subject, subject_id, outcome
