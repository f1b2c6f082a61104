{{ config(materialized='table') }}

-- What may have cost each lost deal: the things that were late in the stay in which it was lost, each with the part of
-- such losses that it accounts for. A thing is named where the part is worth naming and beyond chance; the clearest
-- goes first. Steps without a name of their own are many: they go last, by the lower end of what is known of them.
with stays as (
    select
        deal_number,
        stage_id,
        segment,
        entered_at,
        until_at as lasted_until_at,
        last_heard_at,
        decider_at,
        is_decider_told
    from {{ ref('int_loss_deals') }}
    where entered_at is not null
),

late as (
    select * from ({{ exposures_of('stays', ['stage_id', 'segment']) }}) as exposures
    where delays_late > 0
),

-- a segment that has no weight of its own reads like all
weights as (
    select
        segments.segment,
        overall.stage_id,
        overall.thing,
        overall.delay,
        coalesce(own.share, overall.share) as share,
        coalesce(own.share_low, overall.share_low) as share_low,
        coalesce(own.share_high, overall.share_high) as share_high
    from {{ ref('int_loss_weights') }} as overall
    cross join (select distinct segment from {{ ref('int_loss_deals') }}) as segments
    left join {{ ref('int_loss_weights') }} as own
        on
            segments.segment = own.segment
            and overall.stage_id = own.stage_id
            and overall.thing = own.thing
            and overall.delay = own.delay
    where overall.segment = '(all)'
),

-- what was late for long was late for a day too: the delay that tells most clearly, by the lower end of what is known. The
-- largest of five shares would be large by chance
scored as (
    select
        deal_number,
        {{ cause_of('thing') }} as cause,
        thing,
        due_at,
        share,
        share_low,
        share_high
    from (
        select
            late.deal_number,
            late.thing,
            late.due_at,
            weights.share,
            weights.share_low,
            weights.share_high,
            row_number() over (
                partition by late.deal_number, late.thing, late.due_at
                order by round(weights.share_low, 9) desc, round(weights.share, 9) desc, weights.delay asc
            ) as place
        from late
        inner join weights
            on
                late.stage_id = weights.stage_id
                and late.segment = weights.segment
                and late.thing = weights.thing
                and late.delays_late >= weights.delay
    ) as delays
    where place = 1
),

judged as (
    select
        *,
        case when cause = 'step_missed' then share_low else share end as clarity
    from scored
),

named as (
    select
        *,
        share_low > 0 and clarity >= {{ var('loss_named_from') }} as is_named
    from judged
)

select
    *,
    case
        when is_named
            then row_number() over (
                partition by deal_number, is_named
                order by
                    case when cause = 'step_missed' then 1 else 0 end asc, round(clarity, 9) desc, round(share, 9) desc,
                    due_at asc, thing asc
            )
    end as place
from named
