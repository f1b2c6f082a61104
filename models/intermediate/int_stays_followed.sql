-- Everything that is followed from a beginning until one of several ways out, in one shape, so that one chain of
-- models reads it while it is open: stays in a stage, deals from their creation, customers from the win on.
-- Grain: one row per process, step and stay. 'advanced' is the way out that is hoped for.
with deals as (
    select
        deals.*,
        facts.won_at,
        facts.lost_at,
        facts.reached_documents_at,
        facts.first_use_at,
        facts.first_payment_at
    from {{ ref('dim_deals') }} as deals
    inner join {{ ref('fct_deals') }} as facts on deals.deal_id = facts.deal_id
),

customers as (
    {% for step, reached in [('first_use', 'first_use_at'), ('first_revenue', 'first_payment_at')] %}
        select
            deals.*,
            '{{ step }}' as step,
            {{ reached }} as reached_at
        from deals
        where
            won_at is not null
            and crm in (select crm from {{ ref('int_capabilities_found') }} where capability = 'revenue_event')
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select
    'stage' as process,
    stage_id as step,
    segment,
    channel,
    team,
    product,
    exit_type,
    is_left_truncated,
    entered_at,
    exited_at
from {{ ref('fct_stage_visits') }}

union all

select
    'deal' as process,
    pipeline as step,
    segment,
    channel,
    team,
    product,
    case when won_at is not null then 'advanced' when lost_at is not null then 'lost' else 'still_there' end as exit_type,
    false as is_left_truncated,
    created_at as entered_at,
    coalesce(won_at, lost_at) as exited_at
from deals

union all

select
    'customer' as process,
    step,
    segment,
    channel,
    team,
    product,
    case when reached_at is not null then 'advanced' else 'still_there' end as exit_type,
    false as is_left_truncated,
    won_at as entered_at,
    case when reached_at is not null then greatest(reached_at, won_at) end as exited_at
from customers
