-- Why deals are lost, by quarter of the loss: what was found in the facts, else what was stated, unless the facts say
-- otherwise. What neither tells is unknown, and somebody owns the share of it. lost and amount add up within a cut;
-- each cut is every deal of the quarter once more: by one thing, by none, or by all at once, of which most cells hold too
-- few losses for a share.
{% set parts = ['segment', 'stage_id', 'channel', 'competitor'] %}
with losses as (
    select
        segment,
        coalesce(stage_id, 'unknown') as stage_id,
        channel,
        coalesce(competitor, 'none known') as competitor,
        coalesce(currency, 'unknown') as currency,
        amount,
        found_cause,
        cast({{ dbt.date_trunc('quarter', 'lost_on') }} as date) as quarter_start_date,
        {{ loss_reason() }} as reason
    from {{ ref('loss_autopsy') }}
    where not is_silent_death
),

cut as (
    {% for cut in ['each', 'all'] + parts %}
        select
            quarter_start_date,
            '{{ cut }}' as cut,
            {% for part in parts %} {{ part if cut in ('each', part) else "'(all)'" }} as {{ part }}, {% endfor %}
            currency,
            reason,
            found_cause,
            amount
        from losses
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

counts as (
    select
        quarter_start_date,
        cut,
        segment,
        stage_id,
        channel,
        competitor,
        currency,
        reason,
        count(*) as lost,
        sum(case when reason = found_cause and reason <> 'unknown' then 1 else 0 end) as lost_by_facts,
        sum(amount) as amount
    from cut
    group by quarter_start_date, cut, segment, stage_id, channel, competitor, currency, reason
),

shared as (
    select
        *,
        sum(lost) over cell as lost_of_all,
        sum(case when reason = 'unknown' then lost else 0 end) over cell as lost_unknown
    from counts
    window cell as (partition by quarter_start_date, cut, segment, stage_id, channel, competitor, currency)
)

select
    cast(quarter_start_date as {{ dbt.type_string() }}) || '|' || segment || '|' || stage_id || '|' || channel || '|'
    || competitor || '|' || currency || '|' || reason as loss_reason_id,
    quarter_start_date,
    cut,
    segment,
    stage_id,
    channel,
    competitor,
    currency,
    reason,
    cast(lost as bigint) as lost,
    cast(lost_by_facts as bigint) as lost_by_facts,
    cast(amount as decimal(18, 2)) as amount,
    lost / cast(lost_of_all as double) as share,
    {{ wilson_low('lost', 'lost_of_all') }} as share_low,
    {{ wilson_high('lost', 'lost_of_all') }} as share_high,
    lost_unknown / cast(lost_of_all as double) as unknown_share,
    '{{ var("loss_unknown_owner") }}' as unknown_share_owner,
    cast((select as_of from {{ ref('stg_as_of') }}) as date) as as_of
from shared
