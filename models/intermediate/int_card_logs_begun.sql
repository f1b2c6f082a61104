-- When the logs of a CRM began: each field's with its own first change in the CRM. Those logged by then are a sum of
-- bits, so that a deal created after all logs began needs one row.
with fields as (
    {% for column in card_columns() %}
        select
            '{{ column }}_log' as capability,
            {{ card_bits()[column] }} as field_bit
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

began as (
    select
        found.crm,
        found.began_at,
        sum(fields.field_bit) as begun_bits
    from {{ ref('int_capabilities_found') }} as found
    inner join fields on found.capability = fields.capability
    group by found.crm, found.began_at
)

select
    crm,
    began_at,
    lead(began_at, 1, cast('9999-12-31' as {{ dbt.type_timestamp() }})) over logs as next_began_at,
    cast(begun_bits as integer) as begun_bits,
    cast(sum(begun_bits) over logs as integer) as logged_bits
from began
window logs as (partition by crm order by began_at)
