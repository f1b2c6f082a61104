{{ config(
    materialized='incremental',
    incremental_strategy='append',
    full_refresh=false,
    pre_hook=[
        {'sql': '{{ add_new_columns() }}', 'transaction': false},
        "{% if is_incremental() %} delete from {{ this }} where as_of = (select cast(as_of as date) from {{ ref('stg_as_of') }}) {% endif %}",
    ]
) }}
{%- set clock = ref('stg_as_of') %}

-- What was said of a deal, and when: a row the first time, and whenever a chance has moved by a point at least, the deal
-- has moved on or its amount was changed; until the next row it stands. It is kept, not derived: what was said on a night that later turned
-- out wrong must still be there (decision 12). A second run of the same night replaces what the first one said.
with today as (
    select
        deal_id,
        as_of,
        p_win_90d,
        p_lost_30d,
        p_win_ever,
        stage_id,
        amount,
        expected_amount,
        expected_days_to_close,
        {% for outcome in ['win_90d', 'lost_30d', 'win_ever'] %}
            p_{{ outcome }}_low,
            p_{{ outcome }}_high{{ ',' if not loop.last }}
        {% endfor %}
    from {{ ref('deal_risk') }}
    where p_win_90d is not null
)
{% if is_incremental() %}
    ,

    last_said as (
        select *
        from {{ this }}
        where as_of < (select cast(as_of as date) from {{ ref('stg_as_of') }})
        qualify row_number() over (partition by deal_id order by as_of desc) = 1
    )

    select today.*
    from today
    left join last_said on today.deal_id = last_said.deal_id
    where
        last_said.deal_id is null
        or today.stage_id is distinct from last_said.stage_id
        or abs(today.p_win_90d - last_said.p_win_90d) >= 0.01
        or abs(today.p_lost_30d - last_said.p_lost_30d) >= 0.01
        or abs(today.p_win_ever - last_said.p_win_ever) >= 0.01
        {%- if has_column(this, 'amount') %}
            or today.amount is distinct from last_said.amount
        {%- endif %}
{% else %}
    select * from today
{% endif %}
