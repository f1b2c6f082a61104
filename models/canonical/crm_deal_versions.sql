select * from {{ ref('stg_generic__deal_versions') }}
