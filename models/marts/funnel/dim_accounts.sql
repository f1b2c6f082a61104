select
    accounts.account_id,
    matched.shared_account_id,
    accounts.crm,
    accounts.account_name,
    accounts.industry,
    accounts.region,
    coalesce(accounts.segment, 'unknown') as segment,
    matched.domain,
    matched.is_in_several_crms,
    matched.matched_by,
    accounts.employee_count,
    accounts.annual_revenue
from {{ ref('crm_accounts') }} as accounts
inner join {{ ref('int_accounts_matched') }} as matched on accounts.account_id = matched.account_id
