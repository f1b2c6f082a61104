{{ config(materialized='incremental', incremental_strategy='by_deal') }}

-- The rules are data: every deal is held against every condition, and the first rule whose conditions all hold
-- gives the segment. What no rule knows is atypical, never guessed. A person's verdict goes before any rule.
{% set own = ['amount', 'currency', 'channel', 'product', 'pipeline', 'margin_rate'] %}
{% set of_account = ['industry', 'region', 'employee_count', 'annual_revenue'] %}

with deals as (
    select
        deals.deal_id,
        {% for name in own %}
            deals.{{ name }},
        {% endfor %}
        {% for name in of_account %}
            accounts.{{ name }},
        {% endfor %}
        accounts.segment as account_segment
    from {{ ref('crm_deals') }} as deals
    left join {{ ref('crm_accounts') }} as accounts on deals.account_id = accounts.account_id
    where
        not deals.is_deleted
        and {{ is_touched('deals.deal_id') }}
),

rules as (
    select
        rule_id,
        min(priority) as priority,
        count(*) as condition_count,
        {{ dbt.listagg('reason', "' and '", 'order by attribute, operator, value') }} as reason
    from {{ ref('segment_rules') }}
    group by rule_id
),

attributes as (
    select
        deals.deal_id,
        conditions.*,
        nullif(trim(
            case conditions.attribute
                {% for name in own + of_account + ['account_segment'] %}
                    when '{{ name }}' then cast(deals.{{ name }} as {{ dbt.type_string() }})
                {% endfor %}
            end
        ), '') as attribute_value
    from deals
    cross join {{ ref('segment_rules') }} as conditions
),

fulfilled as (
    select *
    from attributes
    where
        case operator
            when 'take' then attribute_value is not null
            when 'is_not_null' then attribute_value is not null
            when 'is_null' then attribute_value is null
            when '='
                then
                    lower(attribute_value) = lower(value)
                    or {{ number('attribute_value') }} = {{ number('value') }}
            when 'in' then {{ dbt.position("'|' || lower(attribute_value) || '|'", "'|' || lower(value) || '|'") }} > 0
            when 'like' then lower(attribute_value) like lower(value)
            when '>=' then {{ number('attribute_value') }} >= {{ number('value') }}
            when '<' then {{ number('attribute_value') }} < {{ number('value') }}
            when 'between'
                then
                    {{ number('attribute_value') }} between {{ number(dbt.split_part('value', "'|'", 1)) }}
                    and {{ number(dbt.split_part('value', "'|'", 2)) }}
        end
),

matches as (
    select
        fulfilled.deal_id,
        fulfilled.rule_id,
        rules.priority,
        max(case when fulfilled.operator = 'take' then fulfilled.attribute_value else fulfilled.segment end) as segment,
        max(rules.reason) as reason
    from fulfilled
    inner join rules on fulfilled.rule_id = rules.rule_id
    group by fulfilled.deal_id, fulfilled.rule_id, rules.priority, rules.condition_count
    having count(*) = rules.condition_count
),

first_matches as (
    select
        deal_id,
        min_by(segment, priority) as segment,
        min_by('rule ' || rule_id || ': ' || reason, priority) as segment_reason
    from matches
    group by deal_id
),

missing as (
    select
        deal_id,
        {{ dbt.listagg('attribute', "', '", 'order by attribute') }} as attributes
    from (
        select distinct
            attributes.deal_id,
            attributes.attribute
        from attributes
        left join first_matches on attributes.deal_id = first_matches.deal_id
        where first_matches.deal_id is null and attributes.attribute_value is null
    ) as missing_attributes
    group by deal_id
)

select
    deals.deal_id,
    coalesce(reviewed.segment, first_matches.segment, 'atypical') as segment,
    case
        when reviewed.segment is not null
            then
                'decided by ' || reviewed.segment_decided_by || ' on '
                || cast(reviewed.segment_decided_on as {{ dbt.type_string() }})
        when first_matches.deal_id is not null then first_matches.segment_reason
        else 'no rule matches' || coalesce('; not known: ' || missing.attributes, '')
    end as segment_reason,
    (select newest_load_id from {{ ref('stg_as_of') }}) as _load_id
from deals
left join first_matches on deals.deal_id = first_matches.deal_id
left join missing on deals.deal_id = missing.deal_id
left join {{ ref('int_deals_reviewed') }} as reviewed on deals.deal_id = reviewed.deal_id
