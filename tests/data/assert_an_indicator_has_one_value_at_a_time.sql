{{ config(meta={'dagster': {'ref': {'name': 'dim_indicators'}}}) }}

-- A step function has one value at a moment. Two rows of a deal at one would make the value a matter of luck. Looks at
-- what tonight rebuilt.
select
    indicator,
    deal_id,
    changed_at,
    count(*) as copies
from {{ ref('int_indicator_values') }}
where _load_id = (select newest_load_id from {{ ref('stg_as_of') }})
group by indicator, deal_id, changed_at
having count(*) > 1
