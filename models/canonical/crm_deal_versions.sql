with crms as (
    select * from {{ ref('stg_amocrm__deal_versions') }}
    union all
    select * from {{ ref('stg_bitrix24__deal_versions') }}
    union all
    select * from {{ ref('stg_generic__deal_versions') }}
    union all
    select * from {{ ref('stg_hubspot__deal_versions') }}
    union all
    select * from {{ ref('stg_pipedrive__deal_versions') }}
    union all
    select * from {{ ref('stg_salesforce__deal_versions') }}
)

{{ known_rows('crms', 'false') }}
{% set deals, rewound = ref('crm_deals'), rewound_crms() %}
{% if var('rewind') %}
-- the one version that an extract taken then would have left
union all
select
    deal_id,
    account_id,
    owner_id,
    crm,
    pipeline,
    stage,
    status,
    channel,
    product,
    loss_reason,
    competitor,
    amount,
    margin_rate,
    is_deleted,
    expected_close_date,
    closed_at,
    _extracted_at
from {{ deals }}
where crm in {{ rewound }}
{% endif %}
