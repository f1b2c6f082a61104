{{ config(materialized='table') }}

-- The statuses of all pipelines, which come inside them. 142 is won and 143 lost in every pipeline, whatever their names.
with pipelines as (
    {{ current_versions(source('amocrm', 'pipelines')) }}
),

named as (
    select
        id as pipeline_id,
        {{ distinct_name('name', 'id', "'amocrm'") }} as pipeline,
        {{ json_each('embedded', '$.statuses') }} as status
    from pipelines
),

statuses as (
    select
        pipeline_id,
        pipeline,
        {{ json_text('status', '$.id') }} as status_id,
        {{ json_text('status', '$.name') }} as name,
        cast({{ json_text('status', '$.sort') }} as integer) as sort
    from named
)

select
    'amocrm:' || pipeline_id || ':' || status_id as stage_id,
    pipeline_id,
    pipeline,
    status_id,
    {{ distinct_name('name', 'status_id', 'pipeline_id') }} as stage,
    cast(row_number() over (partition by pipeline_id order by sort, status_id) as integer) as position
from statuses
