with crms as (
    select * from {{ ref('stg_generic__activities') }}
)

{{ known_rows('crms', 'logged_at <= ' ~ as_of()) }}
