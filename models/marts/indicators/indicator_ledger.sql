{{ config(materialized='table') }}

-- Which indicators to trust: each held against the outcome, at each landmark, for all segments and for each. A verdict
-- asks for more than the 95% interval shown: so many comparisons are made that one in twenty would pass by luck, so the
-- error is shared out among them. That is why an indicator's own row, the landmark '(all)', may be the one that speaks
-- most clearly; where none does, it is the one with the smallest error.
with settings as (
    select
        -- two-sided 5%, divided by the comparisons made (Bonferroni), as a normal quantile to within 0.01
        sqrt(2 * ln(comparisons / 0.05) - ln(2 * ln(comparisons / 0.05)) - 0.4) as z_needed,
        ln({{ var('indicator_relevant_odds') }}) as relevant_slope
    from (
        select greatest(count(distinct cell_number), 1) as comparisons from {{ ref('int_indicator_cells') }}
        where segment = '(all)'
    ) as made
),

cells as (
    select
        cell_number,
        indicator,
        landmark,
        stage_id,
        segment,
        sum(deals) as deals,
        sum(won) as won,
        sum(lost) as lost
    from {{ ref('int_indicator_cells') }}
    group by cell_number, indicator, landmark, stage_id, segment
    union all
    -- an indicator that has no value at any landmark has a row too
    select
        null as cell_number,
        indicator,
        'none' as landmark,
        null as stage_id,
        '(all)' as segment,
        0 as deals,
        0 as won,
        0 as lost
    from {{ ref('dim_indicators') }}
    where indicator not in (select indicator from {{ ref('int_indicator_cells') }})
),

quarters as (
    select
        *,
        -- a quarter in which the value is one and the same says nothing, whatever the last digits of its sums
        slope + score / case when information > 0.000000001 then information end as slope_of_quarter
    from {{ ref('int_indicator_fits') }}
),

fits as (
    select
        cell_number,
        max(slope) as slope,
        sqrt(sum(score_variance)) / nullif(sum(information), 0) as slope_error,
        -- no estimate where a value tells the outcome for sure, so that the slope has no end, and none where the interval
        -- would span a factor of seven: it would say nothing
        max(last_step) < 1e-6 and sum(information) > 0 and sqrt(sum(score_variance)) < 0.5 * sum(information)
            as is_estimated,
        count(slope_of_quarter) as quarters,
        sum(case when slope_of_quarter * slope > 0 then 1 else 0 end) as quarters_alike
    from quarters
    group by cell_number
),

-- what the deals of all quarters up to one said together, one step from the fit: since when it is as it is
so_far as (
    select
        cell_number,
        quarter_start_date,
        slope + sum(score) over up_to / nullif(sum(information) over up_to, 0) as slope_then,
        sqrt(sum(score_variance) over up_to) / nullif(sum(information) over up_to, 0) as error_then
    from {{ ref('int_indicator_fits') }}
    window up_to as (partition by cell_number order by quarter_start_date)
),

endings as (
    select
        landmark,
        case when landmark like 'stage%' then stage_id end as stage_id,
        segment,
        days_to_end,
        count(*) as deals
    from {{ ref('int_indicator_landmarks') }}
    where days_to_end is not null
    group by landmark, case when landmark like 'stage%' then stage_id end, segment, days_to_end
),

endings_of_all as (
    select * from endings
    union all
    select
        landmark,
        stage_id,
        '(all)' as segment,
        days_to_end,
        sum(deals) as deals
    from endings
    group by landmark, stage_id, days_to_end
),

medians as (
    select
        landmark,
        stage_id,
        segment,
        min(days_to_end) as days_before_outcome
    from (
        select
            *,
            sum(deals) over (partition by landmark, stage_id, segment order by days_to_end)
            / cast(sum(deals) over (partition by landmark, stage_id, segment) as double) as share_up_to
        from endings_of_all
    ) as shares
    where share_up_to >= 0.5
    group by landmark, stage_id, segment
),

hollow as (
    select
        indicator,
        true as is_gamed
    from {{ ref('int_indicator_acts_judged') }}
    where block = 0 and is_hollow and scope in ('team', 'all')
    group by indicator
),

measured as (
    select
        cells.*,
        cells.won + cells.lost as ended,
        ranks.auc,
        ranks.auc_stratified,
        case when fits.is_estimated then ranks.win_rate_highest_fifth / nullif(ranks.win_rate_lowest_fifth, 0) end as lift,
        case when fits.is_estimated then fits.slope end as slope,
        case when fits.is_estimated then fits.slope_error end as slope_error,
        fits.quarters,
        fits.quarters_alike,
        medians.days_before_outcome,
        settings.z_needed,
        settings.relevant_slope
    from cells
    cross join settings
    left join fits on cells.cell_number = fits.cell_number
    left join {{ ref('int_indicator_ranks') }} as ranks on cells.cell_number = ranks.cell_number
    left join medians
        on
            cells.landmark = medians.landmark
            and coalesce(cells.stage_id, '') = coalesce(medians.stage_id, '')
            and cells.segment = medians.segment
),

clear as (
    select
        *,
        coalesce(abs(slope) > z_needed * slope_error and 3 * quarters_alike >= 2 * quarters, false) as is_clear
    from measured
),

told as (
    select
        *,
        row_number() over (
            partition by indicator, segment
            order by
                case when is_clear then 1 else 2 end,
                case when is_clear then -abs(slope) / slope_error else slope_error end nulls last,
                landmark, stage_id
        ) as place
    from clear
),

rows_of_ledger as (
    select
        *,
        landmark as told_at
    from told
    where cell_number is not null
    union all
    select
        *,
        '(all)' as told_at
    from told
    where place = 1
),


judged as (
    select
        rows_of_ledger.*,
        case
            when leaks.is_set_at_end or leaks.is_told_back then 'leaks'
            when hollow.is_gamed then 'gamed'
            when slope_error is null then 'too few deals'
            when is_clear then 'predicts'
            -- around 1, the interval shown would still hold what is worth knowing of
            when slope_error * 1.96 > relevant_slope then 'too few deals'
            else 'no evidence'
        end as verdict,
        leaks.is_set_at_end,
        leaks.changed_at_end,
        leaks.changed_deals,
        leaks.shown_open,
        leaks.expected_open
    from rows_of_ledger
    left join {{ ref('int_indicator_leaks') }} as leaks on rows_of_ledger.indicator = leaks.indicator
    left join hollow on rows_of_ledger.indicator = hollow.indicator
),

-- the quarter after the last one in which the evidence up to then said otherwise
since as (
    select
        judged.cell_number,
        judged.verdict,
        max(
            case
                when
                    (abs(so_far.slope_then) > judged.z_needed * so_far.error_then and so_far.slope_then * judged.slope > 0)
                    <> (judged.verdict = 'predicts')
                    then so_far.quarter_start_date
            end
        ) as last_unlike,
        min(so_far.quarter_start_date) as first_quarter
    from judged
    inner join so_far on judged.cell_number = so_far.cell_number
    where judged.verdict in ('predicts', 'no evidence', 'too few deals')
    group by judged.cell_number, judged.verdict
)

select
    judged.indicator || '|' || judged.told_at
    || case when judged.told_at like 'stage%' then ':' || judged.stage_id else '' end || '|' || judged.segment as ledger_id,
    judged.indicator,
    judged.told_at as landmark,
    judged.landmark as measured_at,
    judged.stage_id,
    judged.segment,
    indicators.influence,
    judged.verdict,
    case
        when judged.verdict = 'leaks' and judged.is_set_at_end
            then
                {{ whole('judged.changed_at_end') }} || ' of ' || {{ whole('judged.changed_deals') }}
                || ' deals got their first value when they ended'
        when judged.verdict = 'leaks'
            then
                'deals that have ended show it, ' || {{ whole('judged.shown_open') }} || ' open ones do where '
                || {{ whole('judged.expected_open') }} || ' would be expected'
        when judged.verdict = 'gamed'
            then 'more acts, fewer answers for each, and deals advance no more: see indicator_integrity'
        when judged.verdict = 'too few deals' and judged.deals = 0 then 'no deal has a value at any landmark'
        when judged.verdict = 'too few deals' and judged.slope_error is null
            then 'too few outcomes or values that differ to tell anything'
        when judged.verdict = 'too few deals'
            then 'an odds ratio of {{ var("indicator_relevant_odds") }} could not be told from none'
        when judged.verdict = 'no evidence'
            then 'at the confidence that so many comparisons ask for, the interval holds 1'
        when judged.slope > 0 then 'higher values go with more wins'
        else 'lower values go with more wins'
    end as verdict_reason,
    cast(
        coalesce(
            {{ dbt.dateadd('month', 3, 'since.last_unlike') }},
            since.first_quarter
        ) as date
    ) as verdict_since,
    cast(judged.deals as bigint) as deals,
    cast(judged.ended as bigint) as ended_deals,
    cast(judged.won as bigint) as won_deals,
    cast(
        case
            when judged.verdict = 'too few deals' and judged.slope_error is not null
                then ceil(judged.ended * (power(judged.slope_error * 1.96 / judged.relevant_slope, 2) - 1))
        end as bigint
    ) as ended_deals_missing,
    -- to the digits that do not depend on the order in which an engine adds
    round(judged.auc, 8) as auc,
    round(judged.auc_stratified, 8) as auc_stratified,
    round(exp(judged.slope), 8) as odds_ratio,
    round(exp(judged.slope - 1.959963984540054 * judged.slope_error), 8) as odds_ratio_low,
    round(exp(judged.slope + 1.959963984540054 * judged.slope_error), 8) as odds_ratio_high,
    round(judged.lift, 8) as lift,
    cast(judged.days_before_outcome as integer) as days_before_outcome,
    cast(judged.quarters as integer) as quarters,
    cast(judged.quarters_alike as integer) as quarters_alike,
    as_of.as_of
from judged
cross join {{ ref('stg_as_of') }} as as_of
inner join {{ ref('dim_indicators') }} as indicators on judged.indicator = indicators.indicator
left join since on judged.cell_number = since.cell_number and judged.verdict = since.verdict
