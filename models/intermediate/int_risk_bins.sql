{{ config(materialized='table') }}

-- Each part of the score is cut into eight bins that hold about as many snapshots; equal values share one. The first
-- reaches down and the last up without end.
-- Grain: one row per part and bin.
with counts as (
    select
        part,
        value,
        count(*) as snapshots
    from {{ ref('int_risk_values') }}
    group by part, value
),

binned as (
    select
        part,
        value,
        snapshots,
        cast(floor(8 * (sum(snapshots) over up_to - snapshots / 2.0) / sum(snapshots) over (partition by part)) as integer)
            as eighth
    from counts
    window up_to as (partition by part order by value)
),

bins as (
    select
        part,
        eighth,
        min(value) as low_value
    from binned
    group by part, eighth
)

select
    part,
    cast(row_number() over in_order as integer) as bin,
    case when lag(eighth) over in_order is not null then low_value end as from_value,
    lead(low_value) over in_order as until_value
from bins
window in_order as (partition by part order by eighth)
