{#
    The ledger holds indicators against the outcomes of all deals, up to 60,000; of more it reads a half, a quarter
    and so on, as more would move no verdict, and each deal has a row for each indicator and landmark. Deals lie in 16
    buckets, by their id; the ledger reads the first ones.
#}
{% macro ledger_bucket(deal_id) -%}
    cast({{ dbt.position('substring(md5(' ~ deal_id ~ '), 1, 1)', "'0123456789abcdef'") }} as integer)
{%- endmacro %}

{% macro ledger_buckets() -%}
    (
        select
            case
                when count(*) <= 60000 then 16
                when count(*) <= 120000 then 8
                when count(*) <= 240000 then 4
                when count(*) <= 480000 then 2
                else 1
            end
        from {{ ref('dim_deals') }}
    )
{%- endmacro %}
