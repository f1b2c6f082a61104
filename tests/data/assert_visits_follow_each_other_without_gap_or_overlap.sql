{{ config(meta={'dagster': {'ref': {'name': 'fct_stage_visits'}}}) }}

-- A deal leaves a stage at the moment it enters the next, and a stay ends no earlier than it began.
-- The entries after the first and the exits of a deal are compared as two sums of hashes of number and time:
-- one pass, where a join of each visit to the next takes twice the time.
select deal_id
from {{ ref('fct_stage_visits') }}
where _load_id = (select newest_load_id from {{ ref('stg_as_of') }})
group by deal_id
having
    sum(case when visit_number > 1 then hash(visit_number, entered_at) end)
    is distinct from sum(case when exited_at is not null then hash(visit_number + 1, exited_at) end)
    or bool_or(exited_at < entered_at)
