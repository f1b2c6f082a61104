-- How well the value alone ranks won deals above lost ones: the area under the ROC curve, of all deals of a cell and
-- within its strata, with ties counted half and each ended deal with its weight. And the share won among the fifth of
-- deals with the highest values and the fifth with the lowest; a tie that spans the border is shared out.
{% set by_value = 'rows between unbounded preceding and 1 preceding' %}
with strata as (
    select
        cell_number,
        stratum_number,
        value,
        sum(won_weight) as won_weight,
        sum(lost_weight) as lost_weight
    from {{ ref('int_indicator_cells') }}
    group by cell_number, stratum_number, value
),

cells as (
    select
        cell_number,
        value,
        sum(won_weight) as won_weight,
        sum(lost_weight) as lost_weight
    from strata
    group by cell_number, value
),

strata_ranked as (
    select
        *,
        coalesce(sum(lost_weight) over (
            partition by cell_number, stratum_number
            order by value {{ by_value }}
        ), 0) as lost_below
    from strata
),

stratified as (
    select
        cell_number,
        sum(concordant) as concordant,
        sum(won_weight * lost_weight) as pairs
    from (
        select
            cell_number,
            stratum_number,
            sum(won_weight * (lost_below + lost_weight / 2)) as concordant,
            sum(won_weight) as won_weight,
            sum(lost_weight) as lost_weight
        from strata_ranked
        group by cell_number, stratum_number
    ) as by_stratum
    group by cell_number
),

cells_ranked as (
    select
        *,
        coalesce(sum(lost_weight) over below, 0) as lost_below,
        coalesce(sum(won_weight + lost_weight) over below, 0) as weight_below,
        sum(won_weight + lost_weight) over (partition by cell_number) as total_weight
    from cells
    window below as (partition by cell_number order by value {{ by_value }})
),

fifths as (
    select
        *,
        -- which part of the deals of this value lies in the lowest fifth, and in the highest
        greatest(0, least(won_weight + lost_weight, 0.2 * total_weight - weight_below))
        / nullif(won_weight + lost_weight, 0) as share_in_lowest,
        greatest(0, least(won_weight + lost_weight, weight_below + won_weight + lost_weight - 0.8 * total_weight))
        / nullif(won_weight + lost_weight, 0) as share_in_highest
    from cells_ranked
)

select
    fifths.cell_number,
    sum(fifths.won_weight * (fifths.lost_below + fifths.lost_weight / 2))
    / nullif(sum(fifths.won_weight) * sum(fifths.lost_weight), 0) as auc,
    max(stratified.concordant) / nullif(max(stratified.pairs), 0) as auc_stratified,
    sum(fifths.won_weight * fifths.share_in_highest)
    / nullif(sum((fifths.won_weight + fifths.lost_weight) * fifths.share_in_highest), 0) as win_rate_highest_fifth,
    sum(fifths.won_weight * fifths.share_in_lowest)
    / nullif(sum((fifths.won_weight + fifths.lost_weight) * fifths.share_in_lowest), 0) as win_rate_lowest_fifth
from fifths
inner join stratified on fifths.cell_number = stratified.cell_number
group by fifths.cell_number
