{{ config(meta={'dagster': {'ref': {'name': 'fct_deal_changes'}}}) }}

-- A deal's values follow each other without gap or overlap, and end with what the CRM shows now.
with versions as (
    select
        *,
        lead(valid_from) over (partition by deal_number, _load_id order by valid_from) as next_valid_from
    from {{ ref('int_deal_values_versioned') }}
    where _load_id = (select newest_load_id from {{ ref('stg_as_of') }})
)

select deals.deal_id
from versions
inner join {{ ref('int_deals_numbered') }} as numbers on versions.deal_number = numbers.deal_number
inner join {{ ref('dim_deals') }} as deals on numbers.deal_id = deals.deal_id
where
    versions.valid_to is distinct from versions.next_valid_from
    or versions.valid_to <= versions.valid_from
    or (
        versions.valid_to is null
        and (
            versions.status <> deals.status
            or versions.pipeline <> deals.pipeline
            or versions.owner_id is distinct from deals.owner_id
            or versions.amount is distinct from deals.amount
            or versions.expected_close_date is distinct from deals.expected_close_date
        )
    )
