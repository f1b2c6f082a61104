{{ config(materialized='table') }}

-- The stages of all pipelines. The older answer has no semantics: there a stage is won by its id, and those behind the
-- won one are lost, as Bitrix24 sorts them. A stage's id names its pipeline, but for the first one: C2:NEW and NEW.
with statuses as (
    {{ current_versions(source('bitrix24', 'statuses')) }}
),

category_stages as (
    {{ current_versions(source('bitrix24', 'category_stages')) }}
),

categories as (
    {{ current_versions(source('bitrix24', 'categories')) }}
),

pipelines as (
    select
        id as category_id,
        {{ distinct_name('name', 'id', "'bitrix24'") }} as pipeline
    from categories
),

stages as (
    select
        status_id,
        name,
        sort,
        nullif(semantics, '') as semantics
    from statuses
    where entity_id = 'DEAL_STAGE' or entity_id like 'DEAL~_STAGE~_%' escape '~'
    union all
    select
        status_id,
        name,
        sort,
        cast(null as {{ dbt.type_string() }}) as semantics
    from category_stages
    where status_id not in (select status_id from statuses where entity_id like 'DEAL~_STAGE%' escape '~')
),

placed as (
    select
        *,
        case
            when status_id like 'C%:%' then substring({{ dbt.split_part('status_id', "':'", 1) }}, 2) else '0'
        end as category_id,
        case when status_id = 'WON' or status_id like '%:WON' then sort end as won_sort
    from stages
),

judged as (
    select
        *,
        case
            when semantics is not null then semantics
            when won_sort is not null then 'S'
            when sort > min(won_sort) over (partition by category_id) then 'F'
            else 'P'
        end as stage_semantics
    from placed
)

select
    'bitrix24:' || judged.status_id as stage_id,
    judged.category_id,
    coalesce(pipelines.pipeline, judged.category_id) as pipeline,
    judged.status_id,
    {{ distinct_name('judged.name', 'judged.status_id', 'judged.category_id') }} as stage,
    judged.stage_semantics as semantics,
    cast(row_number() over (partition by judged.category_id order by judged.sort, judged.status_id) as integer) as position
from judged
left join pipelines on judged.category_id = pipelines.category_id
