-- People on the deal, each since they were added; one whose time nobody wrote down counts for nothing before it is known.
with people as (
    select
        deal_id,
        added_at as changed_at,
        count(distinct contact_id) as people
    from {{ ref('crm_deal_contacts') }}
    where added_at is not null and {{ is_touched('deal_id') }}
    group by deal_id, added_at
)

select
    deal_id,
    changed_at,
    cast(sum(people) over (partition by deal_id order by changed_at) as double) as value,
    (select newest_load_id from {{ ref('stg_as_of') }}) as _load_id
from people
