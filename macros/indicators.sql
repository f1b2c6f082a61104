{# Days from one moment to another, with their fraction. #}
{% macro days_between(first, second) -%}
    {{ dbt.datediff(first, second, 'second') }} / cast(86400 as double)
{%- endmacro %}

{#
    The contacts of a kind in the days up to each moment, as a step function: one more when the CRM knows of a contact,
    one less when it is so many days old. Both are known at once, so the second may lie ahead; a deal that nobody
    touches needs no rebuilding.
#}
{% macro contacts_in_days(is_kind, days) -%}
    {%- set ends = dbt.dateadd('day', days, 'occurred_at') -%}
    with contacts as (
        select
            deal_number,
            known_at,
            {{ ends }} as ends_at
        from {{ ref('int_indicator_contacts') }}
        where {{ is_kind }} and known_at < {{ ends }} and {{ is_newly_built() }}
    ),

    changes as (
        select
            deal_number,
            known_at as changed_at,
            1 as change
        from contacts
        union all
        select
            deal_number,
            ends_at as changed_at,
            -1 as change
        from contacts
    ),

    summed as (
        select
            deal_number,
            changed_at,
            sum(change) as change
        from changes
        group by deal_number, changed_at
        having sum(change) <> 0
    ),

    counted as (
        select
            deal_number,
            changed_at,
            sum(change) over (partition by deal_number order by changed_at) as value
        from summed
    )

    select
        numbers.deal_id,
        counted.changed_at,
        cast(counted.value as double) as value,
        (select newest_load_id from {{ ref('stg_as_of') }}) as _load_id
    from counted
    inner join {{ ref('int_deals_numbered') }} as numbers on counted.deal_number = numbers.deal_number
{%- endmacro %}

{# All indicators there are, as dbt's graph has them; none while dbt reads the project. A model that asks for them calls
   indicator_refs() too, so that they are built before it. #}
{% macro indicators() -%}
    {%- set found = [] -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values() | sort(attribute='name') -%}
            {%- if node.resource_type == 'model' and node.name.startswith('ind_') and 'indicators' in node.fqn -%}
                {%- if model.resource_type == 'model' and node.unique_id not in model.depends_on.nodes -%}
                    {{ exceptions.raise_compiler_error(
                        'macros/indicator_refs.sql does not name ' ~ node.name ~ '; bring it up to date: inflight check'
                    ) }}
                {%- endif -%}
                {%- do found.append(node) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(found) }}
{%- endmacro %}

{# An indicator's name in tables: that of its model without ind_. #}
{% macro indicator_name(node) -%} {{ return(node.name[4:]) }} {%- endmacro %}

{#
    Every indicator, sampled: what its step function held at each moment.

        with moments as (select deal_id, deal_number, crm, phase, stage, …, landmark_at from …)
        {{ sampled_indicators('moments', 'landmark_at', ['deal_id', 'landmark']) }}

    One branch an indicator, with the columns named, indicator, value, changed_at and reason. A moment has a row where
    the indicator applies to the stage; its value is null, with a reason, where it cannot be told. Where the step
    function has not begun and meta gives no default, there is no row. Deals are joined by their number, which is half
    the work of their id. is_today: the moments are open deals at as_of, of which few steps need to be read.
#}
{% macro sampled_indicators(moments, at, columns, is_today=false) -%}
    {%- set far = "cast('9999-12-31' as " ~ dbt.type_timestamp() ~ ")" -%}
    {%- set capabilities = ref('int_capabilities_found') -%}
    {%- if is_today %}{% set kept, clock = ref('int_indicator_steps_kept'), ref('stg_as_of') %}{% endif -%}
    {%- for node in indicators() %}
        {%- set meta = node.config.meta -%}
        {%- set needs = meta.get('needs') -%}
        {%- set stages = meta.get('stages', []) %}
        select
            {% for column in columns %} moments.{{ column }}, {% endfor %}
            '{{ indicator_name(node) }}' as indicator,
            {# hundredths are as fine as any of them is known; equal values are counted together #}
            round(
                case
                    {% if needs %} when given.crm is null or given.began_at > moments.{{ at }} then null {% endif %}
                    when steps.deal_number is null then {{ meta.get('default', 'null') }}
                    else steps.value {% if 'grows_per_day' in node.columns -%}
                        + steps.grows_per_day * {{ days_between('steps.changed_at', 'moments.' ~ at) }}
                    {%- endif %}
                end,
                2
            ) as value,
            steps.changed_at,
            {{ 'steps.grows_per_day' if 'grows_per_day' in node.columns else 'cast(0 as double)' }} as grows_per_day,
            case
                {% if needs %} when given.crm is null or given.began_at > moments.{{ at }}
                    then 'the CRM gives no {{ needs | replace("_", " ") }}' {% endif %}
                when steps.value is null and steps.deal_number is not null then 'cannot be told'
            end as reason
        from {{ moments }} as moments
        left join (
            {% if is_today %}
                select
                    deal_number,
                    value,
                    changed_at,
                    grows_per_day,
                    row_number() over (partition by deal_number order by changed_at desc) as newest
                from {{ kept }}
                where
                    indicator_number = {{ loop.index }}
                    and ended_at is null
                    and changed_at <= (select as_of from {{ clock }})
            {% else %}
                select
                    numbers.deal_number,
                    held.value,
                    held.changed_at,
                    {% if 'grows_per_day' in node.columns %} held.grows_per_day, {% endif %}
                    coalesce(
                        lead(held.changed_at) over (partition by numbers.deal_number order by held.changed_at), {{ far }}
                    ) as until_at
                from {{ node.relation_name }} as held
                inner join (
                    select distinct
                        deal_id,
                        deal_number
                    from {{ moments }}
                ) as numbers on held.deal_id = numbers.deal_id
            {% endif %}
        ) as steps
            on
                moments.deal_number = steps.deal_number
                {% if is_today %}
                    and steps.newest = 1
                {% else %}
                    and moments.{{ at }} >= steps.changed_at
                    and moments.{{ at }} < steps.until_at
                {% endif %}
        {% if needs %}
            left join {{ capabilities }} as given
                on moments.crm = given.crm and given.capability = '{{ needs }}'
        {% endif %}
        where
            {% if stages %}
                (moments.phase is null or moments.phase in ('{{ stages | join("', '") }}')
                or moments.stage in ('{{ stages | join("', '") }}'))
            {% else %} true {% endif %}
            {% if meta.get('default') is none %}
                and (steps.deal_number is not null {{ 'or given.crm is null' if needs }})
            {% endif %}
        {{ 'union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
