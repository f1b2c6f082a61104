with crms as (
    select * from {{ ref('stg_amocrm__deal_contact_versions') }}
    union all
    select * from {{ ref('stg_bitrix24__deal_contact_versions') }}
    union all
    select * from {{ ref('stg_generic__deal_contact_versions') }}
    union all
    select * from {{ ref('stg_hubspot__deal_contact_versions') }}
    union all
    select * from {{ ref('stg_pipedrive__deal_contact_versions') }}
    union all
    select * from {{ ref('stg_salesforce__deal_contact_versions') }}
)

{{ known_rows('crms', 'false') }}
{% set people, rewound, then = ref('crm_deal_contacts'), rewound_crms(), as_of() %}
{% if var('rewind') %}
union all
select
    deal_id,
    crm,
    is_decision_maker,
    {{ then }} as _extracted_at
from {{ people }}
where crm in {{ rewound }}
{% endif %}
