{#
    What would have been known on an earlier day. From the first extract on, versions tell it. Before it only the CRM's
    own times and logs do: a night of `inflight nightly --as-of` lands the first extract of such a CRM, names the CRM in
    landing.rewound_crms, and the canonical models take back all that came after as_of. All other nights compile to
    nothing more than the union.

        with crms as (<the union of the CRMs>)
        {{ known_rows('crms', 'logged_at <= ' ~ as_of()) }}
#}
{% macro as_of() -%} (select as_of from {{ ref('stg_as_of') }}) {%- endmacro %}

{% macro rewound_crms() -%} (select crm from {{ source('landing', 'rewound_crms') }}) {%- endmacro %}

{# Rows of which it was known by as_of that they are. A row without a time is not known to have been there. #}
{% macro known_rows(relation, condition) -%}
    {%- set rewound = rewound_crms() -%}
    select * from {{ relation }}
    {%- if var('rewind') %}
    where crm not in {{ rewound }} or {{ condition }}
    {%- endif %}
{%- endmacro %}

{#
    Deals as they stood at as_of. What the log changed later has its old value again. What is learnt on the way, why a
    deal was lost and against whom, is known only if the log says so or if the deal had ended. The stage is the one that
    the next move leaves; of a deal that no log tells of it is not known.
#}
{% macro rewound_deals(deals, logged_fields=['account_id', 'owner_id', 'pipeline', 'deal_name', 'currency', 'channel',
    'product', 'loss_reason', 'competitor', 'amount', 'margin_rate', 'expected_close_date']) -%}
    {%- set learnt = ['loss_reason', 'competitor'] -%}
    {#- an end that was recorded late was not known yet -#}
    {%- set had_ended = '(deals.closed_at <= ' ~ as_of() ~ ' and coalesce(next_moves.moved_at > ' ~ as_of() ~ ', true))' -%}
    {%- set types = {'amount': 'decimal(18, 2)', 'margin_rate': 'double', 'expected_close_date': 'date'} -%}
    later_changes as (
        select
            *,
            row_number() over (partition by deal_id, field order by changed_at, old_value, new_value) as turn
        from {{ ref('crm_field_changes_all') }}
        where changed_at > {{ as_of() }}
    ),

    undone as (
        select
            deal_id
            {%- for field in logged_fields %},
            max(case when field = '{{ field }}' then 1 else 0 end) = 1 as has_{{ field }},
            max(case when field = '{{ field }}' then nullif(old_value, '') end) as {{ field }}
            {%- endfor %}
        from later_changes
        where turn = 1
        group by deal_id
    ),

    logged as (
        select
            deal_id
            {%- for field in learnt %},
            max(case when field = '{{ field }}' then 1 else 0 end) = 1 as has_{{ field }}
            {%- endfor %}
        from {{ ref('crm_field_changes') }}
        group by deal_id
    ),

    moves as (
        select
            deal_id,
            to_stage as stage,
            changed_at as moved_at,
            row_number() over (partition by deal_id order by changed_at desc, recorded_at desc, to_stage) as turn
        from {{ ref('crm_stage_changes') }}
    ),

    -- of several in one moment the first is the one that begins where the deal was
    next_moves as (
        select
            later.deal_id,
            later.from_stage as stage,
            later.changed_at as moved_at,
            row_number() over (
                partition by later.deal_id
                order by later.changed_at, case when later.from_stage = moves.stage then 1 else 2 end, later.from_stage
            ) as turn
        from {{ ref('crm_stage_changes_all') }} as later
        left join moves on later.deal_id = moves.deal_id and moves.turn = 1
        where greatest(later.changed_at, later.recorded_at) > {{ as_of() }}
    ),

    valued as (
        select
            {%- for field in logged_fields %}
            case
                when undone.has_{{ field }} then
                    {%- if field in ['account_id', 'owner_id'] %} deals.crm || ':' || undone.{{ field }}
                    {%- elif field in types %} try_cast(undone.{{ field }} as {{ types[field] }})
                    {%- else %} undone.{{ field }}
                    {%- endif %}
                {%- if field in learnt %}
                when logged.has_{{ field }} or {{ had_ended }} then deals.{{ field }}
                {%- else %}
                else deals.{{ field }}
                {%- endif %}
            end as {{ field }},
            {%- endfor %}
            case
                when next_moves.deal_id is null and moves.deal_id is not null then deals.stage
                else coalesce(next_moves.stage, moves.stage)
            end as stage,
            case when {{ had_ended }} then deals.status else 'open' end as status_told,
            case when {{ had_ended }} then deals.closed_at else moves.moved_at end as closed_at,
            deals.is_deleted and coalesce(deals.updated_at <= {{ as_of() }}, false) as is_deleted,
            case when deals.updated_at <= {{ as_of() }} then deals.updated_at end as updated_at,
            deals.deal_id,
            deals.crm,
            deals.created_at,
            deals._extracted_at
        from {{ deals }} as deals
        left join undone on deals.deal_id = undone.deal_id
        left join logged on deals.deal_id = logged.deal_id
        left join moves on deals.deal_id = moves.deal_id and moves.turn = 1
        left join next_moves on deals.deal_id = next_moves.deal_id and next_moves.turn = 1
        where deals.crm in {{ rewound_crms() }} and deals.created_at <= {{ as_of() }}
    ),

    rewound as (
        select
            valued.*,
            case when stages.is_won then 'won' when stages.is_lost then 'lost' else valued.status_told end as status
        from valued
        left join {{ ref('crm_stages') }} as stages
            on valued.crm = stages.crm and valued.pipeline = stages.pipeline and valued.stage = stages.stage
    )
{%- endmacro %}
