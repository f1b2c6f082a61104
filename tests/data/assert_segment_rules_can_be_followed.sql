{{ config(meta={'dagster': {'ref': {'name': 'segment_rules'}}}) }}

-- A rule has one place in the order and one segment, a segment to give, and numbers where its operator compares numbers.
select
    rules.rule_id,
    rules.attribute,
    rules.operator,
    rules.value
from {{ ref('segment_rules') }} as rules
inner join {{ ref('segment_rules') }} as others
    on rules.rule_id = others.rule_id or rules.priority = others.priority
where
    rules.rule_id <> others.rule_id
    or rules.priority <> others.priority
    or rules.segment <> others.segment
    or (rules.segment is null and others.segment is null and 'take' not in (rules.operator, others.operator))
    or rules.segment = 'atypical'
    or (rules.operator in ('>=', '<') and {{ number('rules.value') }} is null)
    or (
        rules.operator = 'between'
        and (
            {{ number(dbt.split_part('rules.value', "'|'", 1)) }} is null
            or {{ number(dbt.split_part('rules.value', "'|'", 2)) }} is null
        )
    )
    or (rules.operator in ('=', 'in', 'like') and rules.value is null)
