{{ config(meta={'dagster': {'ref': {'name': 'landing_rejects'}}}) }}

-- Every row that was set aside is listed with its reason, and none is listed that was not.
with set_aside as (
    select
        path,
        sum(rows_set_aside) as rows_set_aside
    from {{ ref('landing_files') }}
    group by path
),

listed as (
    select
        path,
        count(*) as rows_listed
    from {{ ref('landing_rejects') }}
    group by path
)

select
    coalesce(set_aside.path, listed.path) as path,
    coalesce(set_aside.rows_set_aside, 0) as rows_set_aside,
    coalesce(listed.rows_listed, 0) as rows_listed
from set_aside
full outer join listed on set_aside.path = listed.path
where coalesce(set_aside.rows_set_aside, 0) <> coalesce(listed.rows_listed, 0)
