with crms as (
    select * from {{ ref('stg_generic__deal_contacts') }}
)

{{ known_rows('crms', 'added_at <= ' ~ as_of()) }}
