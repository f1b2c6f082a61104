with crms as (
    select * from {{ ref('stg_generic__deals') }}
){{ ',' if var('rewind') }}

{% set rewound %}{{ rewound_deals('crms') }}{% endset %}
{% if var('rewind') %}
{{ rewound }}

{{ known_rows('crms', 'false') }}
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
{% else %}
select * from crms
{% endif %}
