with crms as (
    select * from {{ ref('stg_generic__revenue_events') }}
)

{{ known_rows('crms', 'occurred_at <= ' ~ as_of()) }}
