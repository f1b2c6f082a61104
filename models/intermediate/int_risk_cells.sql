{{ config(materialized='table') }}

-- Where every score starts: how deals of the same stage, segment and age ended, in log-odds. A cell of few is drawn
-- toward its stage and age, these toward the stage, and that toward all, as if so many of the coarser were among its own.
-- Null where no outcome is known yet.
-- Grain: one row per stage, segment and bin of age, seen or not: a deal of today may be the first of its kind.
{% set fits = risk_fits() %}
{% set drawn = var('risk_cell_shrinkage') %}
with snapshots as (
    select
        snapshots.*,
        bins.bin as age_bin
    from {{ ref('int_risk_snapshots') }} as snapshots
    inner join {{ ref('int_risk_bins') }} as bins on bins.part = 'age_days' and {{ is_in_bin('snapshots.age_days') }}
),

by_deal as (
    select
        stage_id,
        segment,
        age_bin,
        deal_id,
        {% for fit, outcome in fits.items() %}
            sum(weight_{{ fit }}) as n_{{ fit }},
            sum(sum(weight_{{ fit }})) over (partition by deal_id, stage_id) as n_in_stage_{{ fit }},
            sum(sum(weight_{{ fit }})) over (partition by deal_id) as n_in_all_{{ fit }},
            sum(weight_{{ fit }} * {{ outcome }}) as hits_{{ fit }},
            -- of those that ended; a deal that nobody closes has no end to take the mean of
            sum(case when days_to_end is not null then weight_{{ fit }} end) as n_ended_{{ fit }},
            sum(weight_{{ fit }} * days_to_end) as days_{{ fit }}{{ ',' if not loop.last }}
        {% endfor %}
    from snapshots
    group by stage_id, segment, age_bin, deal_id
),

counted as (
    {% for fit in fits %}
        select
            '{{ fit }}' as fit,
            stage_id,
            segment,
            age_bin,
            sum(n_{{ fit }}) as n,
            sum(hits_{{ fit }}) as hits,
            sum(n_ended_{{ fit }}) as n_ended,
            sum(days_{{ fit }}) as days,
            -- the snapshots of a deal tell the same story: n * n / n_squared of them are worth as much as one deal each
            sum(n_{{ fit }} * n_{{ fit }}) as n_squared,
            sum(n_{{ fit }} * n_in_stage_{{ fit }}) as n_squared_in_stage,
            sum(n_{{ fit }} * n_in_all_{{ fit }}) as n_squared_in_all
        from by_deal
        group by stage_id, segment, age_bin
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

cells as (
    select
        fits.fit,
        stages.stage_id,
        segments.segment,
        ages.bin as age_bin
    from (select distinct fit from counted) as fits
    cross join (
        select stage_id from {{ ref('int_stages_completed') }}
        where not is_won and not is_lost
        union all
        select 'unknown' as stage_id
    ) as stages
    cross join (select distinct segment from {{ ref('dim_deals') }}) as segments
    cross join (
        select bin from {{ ref('int_risk_bins') }}
        where part = 'age_days'
    ) as ages
),

summed as (
    select
        cells.*,
        coalesce(counted.n, 0) as n,
        coalesce(counted.hits, 0) as hits,
        sqrt(counted.n_squared) / nullif(counted.n, 0) as error,
        {% for of in ['n', 'hits', 'n_ended', 'days'] %}
            coalesce(sum(counted.{{ of }}) over like_age, 0) as {{ of }}_like_age,
            coalesce(sum(counted.{{ of }}) over like_stage, 0) as {{ of }}_like_stage,
            sum(counted.{{ of }}) over of_all as {{ of }}_of_all,
        {% endfor %}
        sqrt(sum(counted.n_squared) over like_age) / nullif(sum(counted.n) over like_age, 0) as error_like_age,
        sqrt(sum(counted.n_squared_in_stage) over like_stage) / nullif(sum(counted.n) over like_stage, 0)
            as error_like_stage,
        sqrt(sum(counted.n_squared_in_all) over of_all) / nullif(sum(counted.n) over of_all, 0) as error_of_all
    from cells
    left join counted
        on
            cells.fit = counted.fit
            and cells.stage_id = counted.stage_id
            and cells.segment = counted.segment
            and cells.age_bin = counted.age_bin
    window
        like_age as (partition by cells.fit, cells.stage_id, cells.age_bin),
        like_stage as (partition by cells.fit, cells.stage_id),
        of_all as (partition by cells.fit)
),

-- Errors are those of a rate, in units of the root of p (1 - p). What a cell is drawn toward is made of its own deals
-- too, so errors add up as if they went together.
rated as (
    select
        *,
        (hits_like_stage + {{ drawn }} * (hits_of_all + 0.5) / (n_of_all + 1)) / (n_like_stage + {{ drawn }}) as stage_rate,
        (n_like_stage * coalesce(error_like_stage, 0) + {{ drawn }} * error_of_all) / (n_like_stage + {{ drawn }}) as stage_error,
        (days_like_stage + {{ drawn }} * days_of_all / nullif(n_ended_of_all, 0)) / (n_ended_like_stage + {{ drawn }})
            as stage_days
    from summed
    where n_of_all > 0
),

chances as (
    select
        *,
        (hits + {{ drawn }} * (hits_like_age + {{ drawn }} * stage_rate) / (n_like_age + {{ drawn }})) / (n + {{ drawn }})
            as chance,
        (
            n * coalesce(error, 0)
            + {{ drawn }} * (n_like_age * coalesce(error_like_age, 0) + {{ drawn }} * stage_error) / (n_like_age + {{ drawn }})
        ) / (n + {{ drawn }}) as chance_error,
        (days_like_age + {{ drawn }} * stage_days) / (n_ended_like_age + {{ drawn }}) as days_to_end
    from rated
)

select
    cells.stage_id,
    cells.segment,
    cells.age_bin,
    max(case when cells.fit = 'win_ever_now' then days_to_end end) as days_to_end,
    {% for fit in fits %}
        max(case when cells.fit = '{{ fit }}' then {{ log_odds('chance') }} end) as base_{{ fit }},
        -- the second part: by how much a cell may differ from what it is drawn toward
        max(
            case
                when cells.fit = '{{ fit }}'
                    then (power(chance_error, 2) + {{ drawn }} / power(chances.n + {{ drawn }}, 2)) / (chance * (1 - chance))
            end
        ) as variance_{{ fit }}{{ ',' if not loop.last }}
    {% endfor %}
from cells
left join chances
    on
        cells.fit = chances.fit
        and cells.stage_id = chances.stage_id
        and cells.segment = chances.segment
        and cells.age_bin = chances.age_bin
group by cells.stage_id, cells.segment, cells.age_bin
