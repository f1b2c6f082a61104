select * from {{ ref('stg_generic__stage_changes') }}
