select * from {{ ref('stg_generic__deal_contact_versions') }}
