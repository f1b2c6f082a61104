{{ config(meta={'dagster': {'ref': {'name': 'cohort_stage_conversion'}}}) }}

-- Every stay is counted in one cohort, those of deals now lost among them.
with stays as (
    select
        stage_id,
        count(*) as stays
    from {{ ref('fct_stage_visits') }}
    group by stage_id
),

cohorts as (
    select
        stage_id,
        sum(entered) as entered
    from {{ ref('cohort_stage_conversion') }}
    group by stage_id
)

select
    coalesce(stays.stage_id, cohorts.stage_id) as stage_id,
    stays.stays,
    cohorts.entered
from stays
full outer join cohorts on stays.stage_id = cohorts.stage_id
where stays.stays is distinct from cohorts.entered
