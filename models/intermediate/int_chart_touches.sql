{{ config(materialized='incremental', incremental_strategy='by_deal') }}

-- How many of the touches of a day brought a word from the client within a week: what acts are worth.
with activities as (
    select
        deal_id,
        owner_id,
        direction,
        occurred_at,
        min(case when direction = 'in' then occurred_at end) over (
            partition by deal_id
            order by occurred_at, activity_id
            rows between 1 following and unbounded following
        ) as next_answer_at
    from {{ ref('crm_activities') }}
    where
        deal_id is not null
        and direction in ('in', 'out')
        and {{ is_touched('deal_id') }}
)

select
    deal_id,
    owner_id,
    cast(occurred_at as date) as touched_date,
    count(*) as touches,
    sum(case when next_answer_at <= {{ dbt.dateadd('day', 7, 'occurred_at') }} then 1 else 0 end) as answered_touches,
    (select newest_load_id from {{ ref('stg_as_of') }}) as _load_id
from activities
where direction = 'out'
group by deal_id, owner_id, cast(occurred_at as date)
