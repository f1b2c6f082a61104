-- Each two weeks against the year before them, by medians, which a few odd weeks cannot move. Acts that are made for
-- the count show in three things at once: there are more of them, fewer answers come back for each, and deals do not
-- advance beyond what more acts of the old kind would have brought.
with counted as (
    select
        *,
        acts / deal_days as act_rate,
        answers / nullif(acts, 0) as answer_rate,
        advances / deal_days as advance_rate
    from {{ ref('int_indicator_acts_counted') }}
),

pairs as (
    select
        now.indicator,
        now.scope,
        now.team,
        now.owner_id,
        now.block,
        now.acts,
        now.deal_days,
        now.act_rate,
        now.answer_rate,
        now.advance_rate,
        before.act_rate as act_rate_before,
        before.answer_rate as answer_rate_before,
        before.advance_rate as advance_rate_before
    from counted as now
    inner join counted as before
        on
            now.indicator = before.indicator
            and now.scope = before.scope
            and now.team = before.team
            and now.owner_id = before.owner_id
            and before.block between now.block + 1 and now.block + 26
),

usual as (
    select
        indicator,
        scope,
        team,
        owner_id,
        block,
        max(acts) as acts,
        max(deal_days) as deal_days,
        max(act_rate) as act_rate,
        max(answer_rate) as answer_rate,
        max(advance_rate) as advance_rate,
        count(*) as blocks_before,
        median(act_rate_before) as usual_act_rate,
        median(answer_rate_before) as usual_answer_rate,
        median(advance_rate_before) as usual_advance_rate
    from pairs
    group by indicator, scope, team, owner_id, block
),

spread as (
    select
        pairs.indicator,
        pairs.scope,
        pairs.team,
        pairs.owner_id,
        pairs.block,
        1.4826 * median(abs(pairs.act_rate_before - usual.usual_act_rate)) as act_spread,
        1.4826 * median(abs(pairs.answer_rate_before - usual.usual_answer_rate)) as answer_spread,
        1.4826 * median(abs(pairs.advance_rate_before - usual.usual_advance_rate)) as advance_spread
    from pairs
    inner join usual
        on
            pairs.indicator = usual.indicator
            and pairs.scope = usual.scope
            and pairs.team = usual.team
            and pairs.owner_id = usual.owner_id
            and pairs.block = usual.block
    group by pairs.indicator, pairs.scope, pairs.team, pairs.owner_id, pairs.block
),

slopes as (
    select
        cells.indicator,
        greatest(0, max(fits.slope)) as slope,
        max(cells.mean_value / nullif(cells.sd_value, 0)) as mean_in_sds
    from (
        select
            cell_number,
            indicator,
            sum(deals * value) / sum(deals) as mean_value,
            sqrt(greatest(0, sum(deals * value * value) / sum(deals) - power(sum(deals * value) / sum(deals), 2)))
                as sd_value
        from {{ ref('int_indicator_cells') }}
        where segment = '(all)' and landmark like 'age%'
        group by cell_number, indicator
    ) as cells
    inner join {{ ref('int_indicator_fits') }} as fits on cells.cell_number = fits.cell_number
    group by cells.indicator
),

-- chance alone spreads counts as Poisson does
judged as (
    select
        usual.*,
        (usual.act_rate - usual.usual_act_rate)
        / greatest(spread.act_spread, sqrt(usual.usual_act_rate / usual.deal_days)) as act_z,
        (usual.answer_rate - usual.usual_answer_rate)
        / greatest(spread.answer_spread, sqrt(usual.usual_answer_rate / usual.acts)) as answer_z,
        usual.usual_advance_rate
        * exp(coalesce(slopes.slope * slopes.mean_in_sds, 0) * (usual.act_rate / usual.usual_act_rate - 1))
        + 2 * greatest(spread.advance_spread, sqrt(usual.usual_advance_rate / usual.deal_days)) as advance_bound
    from usual
    inner join spread
        on
            usual.indicator = spread.indicator
            and usual.scope = spread.scope
            and usual.team = spread.team
            and usual.owner_id = spread.owner_id
            and usual.block = spread.block
    left join slopes on usual.indicator = slopes.indicator
    where usual.usual_act_rate > 0 and usual.usual_answer_rate > 0 and usual.acts > 0
)

-- neither would be rare enough by itself; both at once are
select
    *,
    blocks_before >= 12
    and act_z >= 3 and act_rate >= 1.2 * usual_act_rate
    and answer_z <= -2.5 and answer_rate <= 0.8 * usual_answer_rate
    and act_z - answer_z >= 6.5
    and advance_rate <= advance_bound as is_hollow
from judged
