{{ config(materialized='incremental', incremental_strategy='by_deal', by='deal_number', sparse=true) }}

-- Where a CRM logs no change of a field, extracts of two nights that differ stand for one: it happened between them,
-- and is known since the second. Where there is a log it alone counts, and none is added here.
{% set fields = ['amount', 'expected_close_date', 'owner_id'] %}
with unlogged as (
    {% for field in fields %}
        select
            crms.crm,
            '{{ field }}' as field
        from (select distinct crm from {{ ref('int_stages_named') }}) as crms
        where crms.crm not in (select crm from {{ ref('int_capabilities_found') }} where capability = '{{ field }}_log')
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

versions as (
    select
        numbers.deal_number,
        versions.crm,
        cast(versions.amount as {{ dbt.type_string() }}) as amount,
        cast(versions.expected_close_date as {{ dbt.type_string() }}) as expected_close_date,
        -- as a log names it: the CRM's own id
        substring(versions.owner_id, length(versions.crm) + 2) as owner_id,
        versions._extracted_at as seen_at
    from {{ ref('crm_deal_versions') }} as versions
    inner join {{ ref('int_deals_numbered') }} as numbers on versions.deal_id = numbers.deal_id
    where
        not versions.is_deleted
        and versions.crm in (select crm from unlogged)
        and {{ is_touched('versions.deal_id') }}
),

compared as (
    select
        *,
        {%- for field in fields %}
        lag({{ field }}) over nights as previous_{{ field }},
        {%- endfor %}
        lag(seen_at) over nights as previous_seen_at
    from versions
    window nights as (partition by deal_number order by seen_at)
)

{% for field in fields %}
    select
        compared.deal_number,
        compared.crm,
        unlogged.field,
        compared.previous_{{ field }} as old_value,
        compared.{{ field }} as new_value,
        compared.previous_seen_at,
        compared.seen_at,
        (select newest_load_id from {{ ref('stg_as_of') }}) as _load_id
    from compared
    inner join unlogged on compared.crm = unlogged.crm and unlogged.field = '{{ field }}'
    where
        compared.previous_seen_at is not null
        and compared.{{ field }} is distinct from compared.previous_{{ field }}
    {{ 'union all' if not loop.last }}
{% endfor %}
