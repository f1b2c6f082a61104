select
    account_id,
    crm,
    account_name,
    industry,
    region,
    coalesce(segment, 'unknown') as segment,
    employee_count,
    annual_revenue
from {{ ref('crm_accounts') }}
