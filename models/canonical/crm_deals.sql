{% set rewound = rewound_deals('crms') %}
with crms as (
    select * from {{ ref('stg_amocrm__deals') }}
    union all
    select * from {{ ref('stg_bitrix24__deals') }}
    union all
    select * from {{ ref('stg_generic__deals') }}
    union all
    select * from {{ ref('stg_hubspot__deals') }}
    union all
    select * from {{ ref('stg_pipedrive__deals') }}
    union all
    select * from {{ ref('stg_salesforce__deals') }}
){{ ', ' ~ rewound if var('rewind') }}

{{ known_rows('crms', 'false') }}
{% if var('rewind') %}
-- as they stood before the first extract
union all
select
    deal_id,
    account_id,
    owner_id,
    crm,
    deal_name,
    pipeline,
    stage,
    status,
    currency,
    channel,
    product,
    loss_reason,
    competitor,
    amount,
    margin_rate,
    is_deleted,
    created_at,
    expected_close_date,
    case when status <> 'open' then closed_at end as closed_at,
    updated_at,
    _extracted_at
from rewound
{% endif %}
