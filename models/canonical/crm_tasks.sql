with crms as (
    select * from {{ ref('stg_amocrm__tasks') }}
    union all
    select * from {{ ref('stg_bitrix24__tasks') }}
    union all
    select * from {{ ref('stg_generic__tasks') }}
    union all
    select * from {{ ref('stg_hubspot__tasks') }}
    union all
    select * from {{ ref('stg_pipedrive__tasks') }}
    union all
    select * from {{ ref('stg_salesforce__tasks') }}
)

{{ known_rows('crms', 'false') }}
{% set rewound, then = rewound_crms(), as_of() %}
{% if var('rewind') %}
-- when a deadline was moved no log tells: which one held then is not known
union all
select
    task_id,
    deal_id,
    owner_id,
    crm,
    task_type,
    coalesce(completed_at <= {{ then }}, false) as is_completed,
    created_at,
    case when due_at = original_due_at then due_at end as due_at,
    original_due_at,
    case when completed_at <= {{ then }} then completed_at end as completed_at
from crms
where crm in {{ rewound }} and created_at <= {{ then }}
{% endif %}
