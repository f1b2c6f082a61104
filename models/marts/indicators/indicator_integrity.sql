{{ config(materialized='table') }}

-- Something to look at, never a verdict on a person: whether the figures that indicators are made of are still made by
-- the work they stand for. Acts are held against the same owner's or team's own year; the way records are entered,
-- in the last four weeks, against everybody's year before.
{% set signals = [
    ('back_dated_acts', 'acts', 'is_back_dated', 'acts entered three days or more after they happened'),
    ('acts_in_one_go', 'acts', 'is_in_one_go', 'acts entered eight or more within ten minutes'),
    ('back_dated_tasks', 'tasks', 'is_back_dated', 'tasks made after they were due or done'),
    ('tasks_in_one_go', 'tasks', 'is_in_one_go', 'tasks closed eight or more within ten minutes'),
] %}
{% set marks = ['is_back_dated', 'is_in_one_go'] %}
with as_of as (
    select * from {{ ref('stg_as_of') }}
),

acts as (
    select
        'answers_per_act' as signal,
        indicator,
        scope,
        team,
        owner_id,
        cast(acts as bigint) as records,
        answer_rate as observed,
        usual_answer_rate as usual,
        abs(answer_z) as deviation,
        is_hollow as is_notable,
        case
            when is_hollow
                then
                    'acts ' || {{ whole('100 * act_rate / usual_act_rate') }} || '% of the usual, answers per act '
                    || {{ whole('100 * answer_rate / usual_answer_rate') }} || '%'
                    -- where no advance in two weeks is usual there is nothing to hold them against
                    || coalesce(', advances ' || {{ whole('100 * advance_rate / nullif(usual_advance_rate, 0)') }} || '%', '')
        end as note,
        block
    from {{ ref('int_indicator_acts_judged') }}
),

-- the first of the pairs of weeks that have been notable without a break up to now
begun as (
    select
        signal,
        indicator,
        team,
        owner_id,
        min(case when not is_notable then block end) as first_usual_block,
        max(block) as oldest_block
    from acts
    group by signal, indicator, team, owner_id
),

marked as (
    select
        marked.*,
        coalesce(users.team, 'unknown') as team,
        marked.entered_at > {{ dbt.dateadd('day', -28, 'as_of.as_of') }} as is_recent
    from {{ ref('int_indicator_records_marked') }} as marked
    cross join as_of
    left join {{ ref('dim_users') }} as users on marked.owner_id = users.user_id
),

counted as (
    select
        record,
        team,
        owner_id,
        is_recent,
        {% for mark in marks %}
            sum(case when {{ mark }} then 1 else 0 end) as {{ mark }}_hits,
            min(case when {{ mark }} then entered_at end) as {{ mark }}_first_at,
        {% endfor %}
        count(*) as records
    from marked
    group by record, team, owner_id, is_recent
),

by_signal as (
    {% for signal, record, mark, words in signals %}
        select
            '{{ signal }}' as signal,
            '{{ words }}' as words,
            team,
            owner_id,
            is_recent,
            records,
            {{ mark }}_hits as hits,
            {{ mark }}_first_at as first_hit_at
        from counted
        where record = '{{ record }}'
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

usual as (
    select
        signal,
        sum(hits) / cast(sum(records) as double) as usual
    from by_signal
    where not is_recent
    group by signal
),

scopes as (
    select 'owner' as scope
    union all
    select 'team' as scope
    union all
    select 'all' as scope
),

scoped as (
    select
        by_signal.*,
        scopes.scope,
        case when scopes.scope = 'all' then '(all)' else by_signal.team end as scope_team,
        case when scopes.scope = 'owner' then by_signal.owner_id else '(all)' end as scope_owner_id
    from by_signal
    cross join scopes
    where by_signal.is_recent
),

entered as (
    select
        signal,
        scope,
        scope_team as team,
        scope_owner_id as owner_id,
        max(words) as words,
        cast(sum(records) as bigint) as records,
        sum(hits) as hits,
        min(first_hit_at) as first_hit_at
    from scoped
    group by signal, scope, scope_team, scope_owner_id
),

hits as (
    {% for signal, record, mark, words in signals %}
        select
            '{{ signal }}' as signal,
            team,
            owner_id,
            record_id,
            row_number() over (partition by team, owner_id order by entered_at desc, record_id asc) as hit_number
        from marked
        where is_recent and record = '{{ record }}' and {{ mark }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

evidence as (
    select
        signal,
        'owner' as scope,
        team,
        owner_id,
        {{ dbt.listagg('record_id', "', '", 'order by hit_number') }} as evidence
    from hits
    where hit_number <= 5
    group by signal, team, owner_id
),

judged as (
    select
        entered.*,
        evidence.evidence,
        entered.hits / cast(entered.records as double) as observed,
        usual.usual,
        (entered.hits - entered.records * usual.usual)
        / sqrt(entered.records * greatest(usual.usual * (1 - usual.usual), 0.01)) as deviation
    from entered
    inner join usual on entered.signal = usual.signal
    left join evidence
        on
            entered.signal = evidence.signal
            and entered.scope = evidence.scope
            and entered.team = evidence.team
            and entered.owner_id = evidence.owner_id
)

select
    acts.signal || '|' || acts.indicator || '|' || acts.team || '|' || acts.owner_id as integrity_id,
    acts.signal,
    acts.indicator,
    acts.scope,
    acts.team,
    acts.owner_id,
    acts.records,
    acts.observed,
    acts.usual,
    acts.deviation,
    acts.is_notable,
    case
        when acts.is_notable then cast({{ dbt.dateadd(
            'day', '-14 * coalesce(begun.first_usual_block, begun.oldest_block + 1)', 'as_of.as_of'
        ) }} as date)
    end as since_date,
    acts.note,
    cast(null as {{ dbt.type_string() }}) as evidence,
    as_of.as_of
from acts
cross join as_of
inner join begun
    on acts.signal = begun.signal and acts.indicator = begun.indicator and acts.team = begun.team and acts.owner_id = begun.owner_id
where acts.block = 0
union all
select
    judged.signal || '||' || judged.team || '|' || judged.owner_id as integrity_id,
    judged.signal,
    cast(null as {{ dbt.type_string() }}) as indicator,
    judged.scope,
    judged.team,
    judged.owner_id,
    judged.records,
    judged.observed,
    judged.usual,
    abs(judged.deviation) as deviation,
    judged.hits >= 5 and judged.observed >= 2 * judged.usual and judged.deviation >= 4 as is_notable,
    cast(judged.first_hit_at as date) as since_date,
    {{ whole('judged.hits') }} || ' of ' || {{ whole('judged.records') }} || ' ' || judged.words as note,
    judged.evidence,
    as_of.as_of
from judged
cross join as_of
