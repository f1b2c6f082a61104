-- What a person has written down, for each segment it holds for: a stage's limit in declared_norms, a step's deadline in
-- the journey map (those in business days: hours and calendar days are other units). A segment's own line goes before
-- one for all; a line that takes a step off a segment leaves it without a norm.
with lines as (
    select
        declared.segment,
        'stage' as subject,
        stages.stage_id as subject_id,
        declared.valid_from,
        declared.valid_to,
        declared.business_days
    from {{ ref('declared_norms') }} as declared
    inner join {{ ref('dim_stages') }} as stages
        on declared.pipeline = stages.pipeline and declared.stage = stages.stage
    union all
    select
        segment,
        'step' as subject,
        step as subject_id,
        valid_from,
        valid_to,
        case when deadline_unit = 'business_days' and trigger <> 'never' then deadline_amount end as business_days
    from {{ ref('journey_map') }}
),

segments as (
    select distinct segment from {{ ref('dim_deals') }}
    where segment <> 'atypical'
    union all
    select '(all)' as segment
),

ranked as (
    select
        segments.segment,
        lines.subject,
        lines.subject_id,
        months.date_day as valid_from,
        lines.business_days,
        row_number() over (
            partition by segments.segment, lines.subject, lines.subject_id, months.date_day
            order by case when lines.segment = '*' then 2 else 1 end, lines.valid_from desc
        ) as precedence
    from lines
    inner join segments on lines.segment in (segments.segment, '*')
    inner join {{ ref('dim_dates') }} as months
        on
            lines.valid_from <= months.date_day
            and months.date_day < coalesce(lines.valid_to, cast('9999-12-31' as date))
    where
        months.date_day = months.month_start_date
        and months.date_day <= (select as_of from {{ ref('stg_as_of') }})
)

select
    segment,
    subject,
    subject_id,
    valid_from,
    cast(business_days as double) as declared_business_days
from ranked
where precedence = 1 and business_days is not null
