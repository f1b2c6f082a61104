{{ config(materialized='table') }}

-- Log-odds to win = one constant for each stratum + slope × value in standard deviations: a logistic regression, by
-- Newton's method on the counts, so many steps for all cells at once. The constants are profiled out: with strata s,
-- weights w and v = w p (1 - p),
--     x̃ = x - sum_s(v x) / sum_s(v)      the value against its stratum
--     step = sum(w (y - p) x̃) / sum(v x̃²),  variance = sum(w² (y - p)² x̃²) / sum(v x̃²)²
-- the variance being the robust one, because inverse probability weights are no counts. A stratum in which all or none
-- won says nothing of the slope and is left out. A quarter's slope is one more step on its deals alone.
{% set steps = 8 %}
with scaled as (
    select
        cell_number,
        sum(deals * value) / sum(deals) as mean_value,
        sqrt(
            greatest(sum(deals * value * value) / sum(deals) - power(sum(deals * value) / sum(deals), 2), 0)
        ) as sd_value
    from {{ ref('int_indicator_cells') }}
    group by cell_number
),

by_quarter as (
    select
        cells.cell_number,
        cells.stratum_number,
        cells.quarter_start_date,
        (cells.value - scaled.mean_value) / scaled.sd_value as x,
        sum(cells.won_weight) as won,
        sum(cells.lost_weight) as lost,
        sum(cells.won_weight_squared) as won_squared,
        sum(cells.lost_weight_squared) as lost_squared
    from {{ ref('int_indicator_cells') }} as cells
    inner join scaled on cells.cell_number = scaled.cell_number
    where
        scaled.sd_value > 1e-9 * (1 + abs(scaled.mean_value))
        and cells.won_weight + cells.lost_weight > 0
    group by cells.cell_number, cells.stratum_number, cells.quarter_start_date, (cells.value - scaled.mean_value) / scaled.sd_value
),

data as (
    select
        cell_number,
        stratum_number,
        x,
        sum(won) as won,
        sum(won + lost) as n
    from by_quarter
    group by cell_number, stratum_number, x
),

params_0 as (
    select
        cell_number,
        stratum_number,
        ln(sum(won) / (sum(n) - sum(won))) as constant,
        cast(0 as double) as slope
    from data
    group by cell_number, stratum_number
    having sum(won) > 0 and sum(n) - sum(won) > 1e-9
),

{% for step in range(1, steps + 1) %}
    sums_{{ step }} as (
        select
            data.cell_number,
            data.stratum_number,
            max(params.constant) as constant,
            max(params.slope) as slope,
            sum(data.won - data.n * p.p) as score,
            sum((data.won - data.n * p.p) * data.x) as score_x,
            sum(data.n * p.p * (1 - p.p)) as v,
            sum(data.n * p.p * (1 - p.p) * data.x) as vx,
            sum(data.n * p.p * (1 - p.p) * data.x * data.x) as vxx
        from data
        inner join params_{{ step - 1 }} as params
            on data.cell_number = params.cell_number and data.stratum_number = params.stratum_number
        cross join lateral (select 1 / (1 + exp(-(params.constant + params.slope * data.x))) as p) as p
        group by data.cell_number, data.stratum_number
    ),

    slopes_{{ step }} as (
        select
            cell_number,
            -- not further than two at once: where a value all but tells the outcome, there is no end to go to
            greatest(
                -2,
                least(2, sum(score_x - vx / nullif(v, 0) * score) / nullif(sum(vxx - vx * vx / nullif(v, 0)), 0))
            ) as step
        from sums_{{ step }}
        group by cell_number
    ),

    params_{{ step }} as (
        select
            sums.cell_number,
            sums.stratum_number,
            sums.constant + coalesce(greatest(-3, least(3, (sums.score - sums.vx * slopes.step) / nullif(sums.v, 0))), 0) as constant,
            sums.slope + coalesce(slopes.step, 0) as slope,
            slopes.step
        from sums_{{ step }} as sums
        inner join slopes_{{ step }} as slopes on sums.cell_number = slopes.cell_number
    ),
{% endfor %}

predicted as (
    select
        by_quarter.*,
        params.slope,
        params.step,
        1 / (1 + exp(-(params.constant + params.slope * by_quarter.x))) as p
    from by_quarter
    inner join params_{{ steps }} as params
        on by_quarter.cell_number = params.cell_number and by_quarter.stratum_number = params.stratum_number
),

means as (
    select
        cell_number,
        stratum_number,
        sum((won + lost) * p * (1 - p) * x) / nullif(sum((won + lost) * p * (1 - p)), 0) as mean_x
    from predicted
    group by cell_number, stratum_number
)

select
    predicted.cell_number,
    predicted.quarter_start_date,
    max(predicted.slope) as slope,
    max(abs(predicted.step)) as last_step,
    sum((predicted.won - (predicted.won + predicted.lost) * predicted.p) * (predicted.x - means.mean_x)) as score,
    sum((predicted.won + predicted.lost) * predicted.p * (1 - predicted.p) * power(predicted.x - means.mean_x, 2))
        as information,
    sum(
        (
            predicted.won_squared * power(1 - predicted.p, 2)
            + predicted.lost_squared * power(predicted.p, 2)
        ) * power(predicted.x - means.mean_x, 2)
    ) as score_variance
from predicted
inner join means
    on predicted.cell_number = means.cell_number and predicted.stratum_number = means.stratum_number
group by predicted.cell_number, predicted.quarter_start_date
