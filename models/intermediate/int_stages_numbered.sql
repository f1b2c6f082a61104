{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false) }}

-- As int_deals_numbered, for stages.
with stages as (
    select stage_id from {{ ref('int_stages_completed') }}
    {% if is_incremental() %}
        where stage_id not in (select stage_id from {{ this }})
    {% endif %}
)

select
    stage_id,
    cast(
        row_number() over (order by stage_id)
        {%- if is_incremental() %} + (select coalesce(max(stage_number), 0) from {{ this }}){% endif %} as integer
    ) as stage_number
from stages
