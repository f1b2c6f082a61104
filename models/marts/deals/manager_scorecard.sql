-- How each seller works, and what came of it. Process first: steps on time, the card, contacts. Results against the
-- chance that anybody would have had with the deals they were given, as a log-odds effect (O - E) / V, drawn toward none by
-- as much as owners differ beyond luck (empirical Bayes; DerSimonian and Laird, 1986). How much they differ is not known
-- either, least where they are few: that is in the interval (Morris, 1983), and of three or fewer nobody is drawn. A place
-- only where there is somebody to compare with and the interval overlaps nobody's. What sellers do not move stands apart.
-- Not additive.
with effects as (
    select
        *,
        -- against that of all owners: in a good quarter all win more than was expected
        (wins - expected_wins) / nullif(information, 0)
        - sum(wins - expected_wins) over peers / nullif(sum(information) over peers, 0) as effect,
        sum(wins) over peers / nullif(cast(sum(closed) over peers as double), 0) as peers_win_rate
    from {{ ref('int_scorecard_counts') }}
    window peers as (partition by period_days, segment)
),

-- how much owners differ: what is left of the spread of their effects once luck is taken off
spreads as (
    select
        period_days,
        segment,
        cast(count(effect) as double) as owners,
        count(effect) / nullif(sum(information), 0) as mean_variance,
        greatest(
            0.0,
            coalesce(
                (sum(information * effect * effect) - (count(effect) - 1))
                / nullif(sum(information) - sum(information * information) / nullif(sum(information), 0), 0),
                0
            )
        ) as spread
    from effects
    group by period_days, segment
),

drawn as (
    select
        effects.*,
        spreads.owners,
        spreads.spread,
        spreads.mean_variance,
        1 / nullif(effects.information, 0) as variance,
        case
            when spreads.owners > 3
                then (spreads.owners - 3) / (spreads.owners - 1) / (1 + effects.information * spreads.spread)
            else 0
        end as pull,
        ln(
            greatest(effects.peers_win_rate, 0.001) / (1 - least(effects.peers_win_rate, 0.999))
        ) as peers_log_odds
    from effects
    inner join spreads on effects.period_days = spreads.period_days and effects.segment = spreads.segment
),

shrunk as (
    select
        *,
        (1 - pull) * effect as shrunk_effect,
        sqrt(
            variance * (1 - (owners - 1) / owners * pull)
            + case
                when owners > 3
                    then
                        2 / (owners - 3) * pull * pull * effect * effect
                        * (mean_variance + spread) / (variance + spread)
                else 0
            end
        ) as shrunk_error
    from drawn
),

adjusted as (
    select
        *,
        case when closed > 0 then 1 / (1 + exp(-peers_log_odds - shrunk_effect)) end as win_rate_adjusted,
        case when closed > 0 then 1 / (1 + exp(-peers_log_odds - shrunk_effect + 1.645 * shrunk_error)) end as adjusted_low,
        case when closed > 0 then 1 / (1 + exp(-peers_log_odds - shrunk_effect - 1.645 * shrunk_error)) end as adjusted_high
    from shrunk
),

compared as (
    select
        one.period_days,
        one.segment,
        one.owner_id,
        sum(case when other.adjusted_low > one.adjusted_high then 1 else 0 end) as clearly_above,
        sum(case when other.adjusted_high < one.adjusted_low then 1 else 0 end) as clearly_below,
        sum(case when other.adjusted_low <= one.adjusted_high and other.adjusted_high >= one.adjusted_low then 1 else 0 end) - 1
            as alike,
        count(*) - 1 as others
    from adjusted as one
    inner join adjusted as other on one.period_days = other.period_days and one.segment = other.segment
    where one.closed > 0 and other.closed > 0
    group by one.period_days, one.segment, one.owner_id
)

select
    adjusted.owner_id || '|' || cast(adjusted.period_days as {{ dbt.type_string() }}) || '|' || adjusted.segment as scorecard_id,
    adjusted.owner_id,
    coalesce(users.user_name, adjusted.owner_id) as owner_name,
    coalesce(users.team, 'unknown') as team,
    cast(adjusted.period_days as bigint) as period_days,
    adjusted.segment,
    adjusted.deals,
    adjusted.steps_due,
    adjusted.steps_done,
    adjusted.steps_done / nullif(cast(adjusted.steps_due as double), 0) as done_share,
    {{ wilson_low('adjusted.steps_done', 'adjusted.steps_due') }} as done_share_low,
    {{ wilson_high('adjusted.steps_done', 'adjusted.steps_due') }} as done_share_high,
    adjusted.steps_expected_done / nullif(adjusted.steps_due, 0) as done_share_expected,
    adjusted.steps_on_time,
    adjusted.steps_on_time / nullif(cast(adjusted.steps_due as double), 0) as on_time_share,
    {{ wilson_low('adjusted.steps_on_time', 'adjusted.steps_due') }} as on_time_share_low,
    {{ wilson_high('adjusted.steps_on_time', 'adjusted.steps_due') }} as on_time_share_high,
    adjusted.steps_expected_on_time / nullif(adjusted.steps_due, 0) as on_time_share_expected,
    adjusted.completeness / nullif(adjusted.cards, 0) as card_completeness,
    adjusted.expected_completeness / nullif(adjusted.cards, 0) as card_completeness_expected,
    adjusted.contacts * 7 / cast(adjusted.period_days as double) as contacts_per_week,
    adjusted.contacts / nullif(cast(adjusted.deals as double), 0) as contacts_per_deal,
    adjusted.expected_contacts / nullif(adjusted.deals, 0) as contacts_per_deal_expected,
    adjusted.wins,
    adjusted.closed,
    adjusted.wins / nullif(cast(adjusted.closed as double), 0) as win_rate,
    {{ wilson_low('adjusted.wins', 'adjusted.closed') }} as win_rate_low,
    {{ wilson_high('adjusted.wins', 'adjusted.closed') }} as win_rate_high,
    adjusted.expected_wins / nullif(adjusted.closed, 0) as expected_win_rate,
    adjusted.win_rate_adjusted,
    adjusted.adjusted_low as win_rate_adjusted_low,
    adjusted.adjusted_high as win_rate_adjusted_high,
    adjusted.expected_wins / nullif(adjusted.closed, 0) - adjusted.peers_win_rate as outside_control,
    adjusted.others_due,
    adjusted.others_on_time / nullif(cast(adjusted.others_due as double), 0) as others_on_time_share,
    cast(case when compared.others > 0 and compared.alike = 0 then compared.clearly_above + 1 end as bigint) as place,
    case
        when adjusted.closed = 0 then 'no deal ended'
        when compared.others = 0 then 'nobody to compare with'
        when compared.alike > 0
            then
                'not to be told from ' || cast(compared.alike as {{ dbt.type_string() }})
                || case
                    when compared.clearly_above > 0
                        then ', clearly below ' || cast(compared.clearly_above as {{ dbt.type_string() }})
                    else ''
                end
                || case
                    when compared.clearly_below > 0
                        then ', clearly above ' || cast(compared.clearly_below as {{ dbt.type_string() }})
                    else ''
                end
        when compared.clearly_above is not null then 'no other interval overlaps'
    end as place_reason,
    cast((select as_of from {{ ref('stg_as_of') }}) as date) as as_of
from adjusted
left join compared
    on
        adjusted.period_days = compared.period_days
        and adjusted.segment = compared.segment
        and adjusted.owner_id = compared.owner_id
left join {{ ref('dim_users') }} as users on adjusted.owner_id = users.user_id
