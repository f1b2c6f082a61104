{{ config(materialized='incremental', incremental_strategy='by_deal') }}

-- The rules are data: what a deal shows of the attributes that the rules ask about is held against every condition,
-- and the first rule whose conditions all hold gives the segment. What no rule knows is atypical, never guessed. A
-- person's verdict goes before any rule. Deals that look alike to the rules are judged once, as one profile.
{% set own = ['amount', 'currency', 'channel', 'product', 'pipeline', 'margin_rate'] %}
{% set of_account = ['industry', 'region', 'employee_count', 'annual_revenue'] %}

with rules as (
    select
        rule_id,
        min(priority) as priority,
        count(*) as condition_count,
        {{ dbt.listagg('reason', "' and '", 'order by attribute, operator, value') }} as reason
    from {{ ref('segment_rules') }}
    group by rule_id
),

asked as (
    select
        {% for name in own + of_account %}
            max(case when attribute = '{{ name }}' then 1 else 0 end) = 1 as asks_{{ name }},
        {% endfor %}
        max(case when attribute = 'account_segment' then 1 else 0 end) = 1 as asks_account_segment
    from {{ ref('segment_rules') }}
),

shown as (
    select
        deals.deal_id,
        {% for name in own %}
            case when asked.asks_{{ name }} then cast(deals.{{ name }} as {{ dbt.type_string() }}) end as {{ name }},
        {% endfor %}
        {% for name in of_account %}
            case when asked.asks_{{ name }} then cast(accounts.{{ name }} as {{ dbt.type_string() }}) end as {{ name }},
        {% endfor %}
        case when asked.asks_account_segment then accounts.segment end as account_segment
    from {{ ref('crm_deals') }} as deals
    left join {{ ref('crm_accounts') }} as accounts on deals.account_id = accounts.account_id
    cross join asked
    where
        not deals.is_deleted
        and {{ is_touched('deals.deal_id') }}
),

deals as (
    select
        *,
        coalesce(account_segment, '')
        {% for name in own + of_account %}
            || chr(31) || coalesce({{ name }}, '')
        {% endfor %}
            as profile
    from shown
),

profiles as (
    select
        {% for name in own + of_account %}
            min({{ name }}) as {{ name }},
        {% endfor %}
        min(account_segment) as account_segment,
        profile
    from deals
    group by profile
),

attributes as (
    select
        profiles.profile,
        conditions.rule_id,
        conditions.segment,
        conditions.attribute,
        conditions.operator,
        conditions.value,
        nullif(trim(
            case conditions.attribute
                {% for name in own + of_account + ['account_segment'] %}
                    when '{{ name }}' then profiles.{{ name }}
                {% endfor %}
            end
        ), '') as attribute_value
    from profiles
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
        fulfilled.profile,
        fulfilled.rule_id,
        rules.priority,
        max(case when fulfilled.operator = 'take' then fulfilled.attribute_value else fulfilled.segment end) as segment,
        max(rules.reason) as reason
    from fulfilled
    inner join rules on fulfilled.rule_id = rules.rule_id
    group by fulfilled.profile, fulfilled.rule_id, rules.priority, rules.condition_count
    having count(*) = rules.condition_count
),

first_matches as (
    select
        profile,
        min_by(segment, priority) as segment,
        min_by('rule ' || rule_id || ': ' || reason, priority) as segment_reason
    from matches
    group by profile
),

missing as (
    select
        profile,
        {{ dbt.listagg('attribute', "', '", 'order by attribute') }} as attributes
    from (
        select distinct
            attributes.profile,
            attributes.attribute
        from attributes
        left join first_matches on attributes.profile = first_matches.profile
        where first_matches.profile is null and attributes.attribute_value is null
    ) as missing_attributes
    group by profile
)

select
    deals.deal_id,
    coalesce(reviewed.segment, first_matches.segment, 'atypical') as segment,
    case
        when reviewed.segment is not null
            then
                'decided by ' || reviewed.segment_decided_by || ' on '
                || cast(reviewed.segment_decided_on as {{ dbt.type_string() }})
        when first_matches.profile is not null then first_matches.segment_reason
        else 'no rule matches' || coalesce('; not known: ' || missing.attributes, '')
    end as segment_reason,
    (select newest_load_id from {{ ref('stg_as_of') }}) as _load_id
from deals
left join first_matches on deals.profile = first_matches.profile
left join missing on deals.profile = missing.profile
left join {{ ref('int_deals_reviewed') }} as reviewed on deals.deal_id = reviewed.deal_id
