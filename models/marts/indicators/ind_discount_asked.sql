-- The discount on the deal, as the CRM logs it. Which field holds it, dbt_project.yml says; a CRM that has none tells
-- nothing, and the indicator is null there.
with logged as (
    select
        deal_id,
        changed_at,
        {{ number('new_value') }} as discount
    from {{ ref('crm_field_changes') }}
    where field = '{{ var("indicator_discount_field") }}' and {{ is_touched('deal_id') }}
)

select
    deal_id,
    changed_at,
    max(discount) as value,
    (select newest_load_id from {{ ref('stg_as_of') }}) as _load_id
from logged
group by deal_id, changed_at
