-- All indicators' step functions under one another, for whoever asks for a value at a moment of their own.
{%- do indicator_refs() %}
{%- for node in indicators() %}
    select
        deal_id,
        '{{ indicator_name(node) }}' as indicator,
        changed_at,
        value,
        {{ 'grows_per_day' if 'grows_per_day' in node.columns else 'cast(0 as double)' }} as grows_per_day,
        _load_id
    from {{ node.relation_name }}
    {{ 'union all' if not loop.last }}
{%- endfor %}
