-- One company in several CRMs, or twice in one, is known by its tax id, and by its domain where it has none. Firms of
-- one holding share a domain and not a tax id: a domain with several tax ids tells nothing of an account without one.
with cleaned as (
    select
        account_id,
        crm,
        nullif(upper(replace(replace(replace(replace(tax_id, ' ', ''), '-', ''), '.', ''), '/', '')), '') as tax_id,
        -- https://www.example.com:80/about and someone@example.com are both of example.com
        split_part(
            split_part(split_part(replace(replace(lower(trim(domain)), 'https://', ''), 'http://', ''), '/', 1), ':', 1),
            '@', -1
        ) as host
    from {{ ref('crm_accounts') }}
),

sited as (
    select
        account_id,
        crm,
        tax_id,
        case
            -- everybody's mail is nobody's domain
            when host in (select domain from {{ ref('public_mail_domains') }}) then null
            when host like 'www.%' then substring(host, 5)
            when host like '%_.__%' then host
        end as domain
    from cleaned
),

domains as (
    select
        domain,
        min(tax_id) as tax_id
    from sited
    where domain is not null
    group by domain
    having count(distinct tax_id) < 2
),

keyed as (
    select
        sited.account_id,
        sited.crm,
        sited.domain,
        case
            when sited.tax_id is not null or domains.tax_id is not null
                then 'tax_id:' || coalesce(sited.tax_id, domains.tax_id)
            when domains.domain is not null then 'domain:' || domains.domain
            else 'account:' || sited.account_id
        end as company_key
    from sited
    left join domains on sited.domain = domains.domain
)

select
    account_id,
    domain,
    min(account_id) over same_company as shared_account_id,
    min(crm) over same_company <> max(crm) over same_company as is_in_several_crms,
    case when count(*) over same_company > 1 then split_part(company_key, ':', 1) end as matched_by
from keyed
window same_company as (partition by company_key)
