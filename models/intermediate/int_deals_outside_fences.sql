-- Open deals whose amount, age or time in the stage lies outside the fences of their segment's ended deals, and since
-- when: the day on which they passed the fence.
with open_deals as (
    select
        deals.*,
        as_of.as_of
    from {{ ref('dim_deals') }} as deals
    cross join {{ ref('stg_as_of') }} as as_of
    where deals.status = 'open'
),

measured as (
    select
        deal_id,
        segment,
        'amount' as measure,
        currency as compared_with,
        cast(amount as double) as value,
        created_at as began_at
    from open_deals
    where amount > 0
    union all
    select
        deal_id,
        segment,
        'age' as measure,
        'all' as compared_with,
        {{ dbt.datediff('created_at', 'as_of', 'day') }} as value,
        created_at as began_at
    from open_deals
    union all
    select
        deal_id,
        segment,
        'time_in_stage' as measure,
        stage_id as compared_with,
        {{ dbt.datediff('entered_at', 'as_of', 'day') }} as value,
        entered_at as began_at
    from (
        select
            visits.*,
            deals.as_of
        from {{ ref('fct_stage_visits') }} as visits
        inner join open_deals as deals on visits.deal_id = deals.deal_id
        where visits.exit_type = 'still_there' and visits.is_entered_at_exact
    ) as open_stays
),

outside as (
    select
        measured.*,
        norms.case_count,
        norms.median_value,
        norms.upper_fence,
        -- no median below a day, so that times as much can be told
        measured.value / greatest(norms.median_value, 1) as times_median
    from measured
    inner join {{ ref('int_segment_norms') }} as norms
        on
            measured.segment = norms.segment
            and measured.measure = norms.measure
            and measured.compared_with = norms.compared_with
    where measured.value > norms.upper_fence or measured.value < norms.lower_fence
),

amount_changes as (
    select
        changes.deal_id,
        max(changes.changed_at) as changed_at
    from {{ ref('crm_field_changes') }} as changes
    inner join outside on changes.deal_id = outside.deal_id
    where changes.field = 'amount' and outside.measure = 'amount'
    group by changes.deal_id
)

select
    outside.deal_id,
    outside.measure as oddity,
    outside.case_count,
    case
        when outside.measure = 'amount' then coalesce(amount_changes.changed_at, outside.began_at)
        else {{ dbt.dateadd('day', 'cast(floor(outside.upper_fence) as integer) + 1', 'outside.began_at') }}
    end as odd_since_at,
    case outside.measure
        when 'amount' then 'amount ' || {{ whole('outside.value') }} || ' ' || outside.compared_with
        when 'age' then 'open for ' || {{ whole('outside.value') }} || ' days'
        else {{ whole('outside.value') }} || ' days in ' || stages.stage
    end
    || ', '
    || case
        when outside.times_median >= 10 then {{ whole('outside.times_median') }}
        else cast(cast(outside.times_median as decimal(18, 2)) as {{ dbt.type_string() }})
    end
    || ' times the segment''s median of ' || {{ whole('outside.median_value') }}
    || ', n = ' || cast(outside.case_count as {{ dbt.type_string() }}) as reason
from outside
left join amount_changes on outside.deal_id = amount_changes.deal_id
left join {{ ref('dim_stages') }} as stages on outside.compared_with = stages.stage_id
