{{ config(materialized='incremental', incremental_strategy='by_deal', by='deal_number') }}

-- How many of the touches of a day brought a word from the client within a week: what acts are worth.
with contacts as (
    select
        deal_number,
        owner_id,
        direction,
        occurred_at,
        min(case when direction = 'in' then occurred_at end) over (
            partition by deal_number
            order by occurred_at, activity_id
            rows between 1 following and unbounded following
        ) as next_answer_at
    from {{ ref('int_indicator_contacts') }}
    where direction in ('in', 'out') and {{ is_newly_built() }}
)

select
    deal_number,
    owner_id,
    cast(occurred_at as date) as touched_date,
    count(*) as touches,
    count(case when next_answer_at <= {{ dbt.dateadd('day', 7, 'occurred_at') }} then 1 end) as answered_touches,
    (select newest_load_id from {{ ref('stg_as_of') }}) as _load_id
from contacts
where direction = 'out'
group by deal_number, owner_id, cast(occurred_at as date)
