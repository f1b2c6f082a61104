select * from {{ ref('stg_generic__accounts') }}
