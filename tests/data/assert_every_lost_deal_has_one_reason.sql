{{ config(meta={'dagster': {'ref': {'name': 'loss_reasons'}}}) }}

-- Deals lost in the facts = deals in the autopsy = deals in the reasons, each way of cutting them.
with lost as (
    select count(*) as deals
    from {{ ref('fct_deals') }}
    where lost_at is not null
),

told as (
    select
        'loss_autopsy' as place,
        count(*) as deals
    from {{ ref('loss_autopsy') }}
    where not is_silent_death
    union all
    select
        'loss_reasons, ' || cut as place,
        sum(lost) as deals
    from {{ ref('loss_reasons') }}
    group by cut
)

select
    told.place,
    told.deals,
    lost.deals as lost
from told
cross join lost
where told.deals <> lost.deals
