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
    {% for cut in ['each', 'all', 'segment', 'stage_id', 'channel', 'competitor'] %}
        union all
        select
            'loss_reasons, {{ cut }}' as place,
            coalesce(sum(lost), 0) as deals
        from {{ ref('loss_reasons') }}
        where cut = '{{ cut }}'
    {% endfor %}
)

select
    told.place,
    told.deals,
    lost.deals as lost
from told
cross join lost
where told.deals <> lost.deals
