{#
    What is learnt is learnt of all deals, up to so many; of more a half is read, a quarter and so on, as more would move
    no verdict. Deals lie in 16 buckets, by their id; the first ones are read. The ledger, in which each deal has a row
    for each indicator and landmark, reads 60,000.
#}
{% macro ledger_bucket(deal_id) -%}
    cast({{ dbt.position('substring(md5(' ~ deal_id ~ '), 1, 1)', "'0123456789abcdef'") }} as integer)
{%- endmacro %}

{% macro ledger_buckets(at_most=60000) -%}
    (
        select
            case
                when count(*) <= {{ at_most }} then 16
                when count(*) <= {{ 2 * at_most }} then 8
                when count(*) <= {{ 4 * at_most }} then 4
                when count(*) <= {{ 8 * at_most }} then 2
                else 1
            end
        from {{ ref('dim_deals') }}
    )
{%- endmacro %}
