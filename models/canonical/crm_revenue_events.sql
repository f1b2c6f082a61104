select * from {{ ref('stg_generic__revenue_events') }}
