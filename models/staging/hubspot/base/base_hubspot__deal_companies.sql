{{ config(materialized='table') }}

-- The one company of each deal, so that amounts are not counted twice: the primary one (type 5), else the lowest id.
-- A deal is often associated with several, and with the primary one twice.
-- A table: every read of a deal asks for it.
with associations as (
    select
        deal_id,
        company_id,
        coalesce(type_id = '5', false) as is_primary
    from ({{ current_versions(source('hubspot', 'deal_company')) }}) as listed
    union all
    select
        id as deal_id,
        other_id as company_id,
        coalesce(association_type = 'deal_to_company', false) as is_primary
    from ({{ hubspot_associations(source('hubspot', 'deal'), 'deal_id', 'companies') }}) as nested
    where
        _extracted_at <= (select as_of from {{ ref('stg_as_of') }})
        and (_superseded_at is null or _superseded_at > (select as_of from {{ ref('stg_as_of') }}))
)

select
    deal_id,
    coalesce(min(case when is_primary then company_id end), min(company_id)) as company_id
from associations
group by deal_id
