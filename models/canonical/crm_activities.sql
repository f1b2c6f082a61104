select * from {{ ref('stg_generic__activities') }}
